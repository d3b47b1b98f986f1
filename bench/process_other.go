//go:build !linux

package main

import (
	"errors"
	"time"
)

var errNotLinux = errors.New("processes are measured on Linux only")

func cpuTime(int) (time.Duration, error) { return 0, errNotLinux }

func peakMemory(int) (int64, error) { return 0, errNotLinux }
