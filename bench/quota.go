package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
)

// quota is a control group with a share of one processor, as Lambda gives a function
// in proportion to its memory: a vCPU at 1,769 MB (Lambda developer guide, 2026-11).
type quota struct{ procs string }

// period is in microseconds. Lambda's scheduler deals in 20 ms, as its users measured;
// the kernel's least quota in a period is 1 ms.
const period = 20_000

const vCPU = 1769 // MB

var errNoQuota = errors.New("control groups can't be written here (it takes root)")

// newQuota makes the group that a function of so many MB would run in; end removes it.
func newQuota(memory int) (q *quota, end func(), err error) {
	share := strconv.Itoa(period * min(memory, vCPU) / vCPU)
	name := "trunkhook-bench-" + strconv.Itoa(os.Getpid())
	for _, kind := range []struct {
		dir    string
		limits map[string]string
	}{
		{"/sys/fs/cgroup", map[string]string{"cpu.max": share + " " + strconv.Itoa(period)}},                            // version 2
		{"/sys/fs/cgroup/cpu", map[string]string{"cpu.cfs_period_us": strconv.Itoa(period), "cpu.cfs_quota_us": share}}, // version 1
	} {
		dir := filepath.Join(kind.dir, name)
		if os.Mkdir(dir, 0o700) != nil {
			continue
		}
		end := func() { _ = os.Remove(dir) } // empty once its process is gone
		if limitsWritten(dir, kind.limits) {
			return &quota{filepath.Join(dir, "cgroup.procs")}, end, nil
		}
		end()
	}
	return nil, nil, errNoQuota
}

func limitsWritten(dir string, limits map[string]string) bool {
	for file, value := range limits {
		path := filepath.Join(dir, file)
		if _, err := os.Stat(path); err != nil {
			return false
		}
		if os.WriteFile(path, []byte(value), 0) != nil {
			return false
		}
	}
	return true
}

// limit moves a process, with all its threads, into the group.
func (q *quota) limit(pid int) error {
	if q == nil {
		return nil
	}
	return os.WriteFile(q.procs, []byte(strconv.Itoa(pid)), 0)
}
