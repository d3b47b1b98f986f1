package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/term"
)

// openTerminal is a terminal, and the keyboard and screen of it.
func openTerminal(t *testing.T) (terminal, *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { _ = person.Close() })
	var unlocked, number int32
	control := func(request uintptr, at *int32) {
		t.Helper()
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, person.Fd(), request, uintptr(unsafe.Pointer(at))); errno != 0 {
			t.Fatal(errno)
		}
	}
	control(syscall.TIOCSPTLCK, &unlocked)
	control(syscall.TIOCGPTN, &number)
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return terminal{tty, bufio.NewReader(tty)}, person // not closed: a read may be under way
}

func TestCtrlCEndsEveryQuestionAndTheTerminalShowsWhatIsTypedAgain(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]func(terminal, context.Context, string) (string, error){"shown": terminal.ask, "hidden": terminal.askHidden} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tty, _ := openTerminal(t)
			before, err := term.GetState(int(tty.tty.Fd()))
			if err != nil {
				t.Fatal(err)
			}
			ctx, interrupt := context.WithCancel(t.Context())
			time.AfterFunc(200*time.Millisecond, interrupt)
			start := time.Now()
			if answer, err := ask(tty, ctx, "Key: "); err == nil || time.Since(start) > time.Minute {
				t.Errorf("%q, %v after %v", answer, err, time.Since(start))
			}
			if after, err := term.GetState(int(tty.tty.Fd())); err != nil || *after != *before {
				t.Errorf("the terminal is left in another state: %v", err)
			}
		})
	}
}

func TestAnswersAreRead(t *testing.T) {
	t.Parallel()
	tty, person := openTerminal(t)
	if _, err := person.WriteString("shown\n"); err != nil {
		t.Fatal(err)
	}
	if answer, err := tty.ask(t.Context(), "Key: "); err != nil || answer != "shown" {
		t.Errorf("%q, %v", answer, err)
	}
	if _, err := person.WriteString("hidden\n"); err != nil {
		t.Fatal(err)
	}
	if answer, err := tty.askHidden(t.Context(), "Token: "); err != nil || answer != "hidden" {
		t.Errorf("%q, %v", answer, err)
	}
	if _, err := person.WriteString("\x04"); err != nil { // Ctrl-D
		t.Fatal(err)
	}
	if answer, err := tty.ask(t.Context(), "Key: "); err == nil || !strings.Contains(err.Error(), "no answer") {
		t.Errorf("%q, %v", answer, err)
	}
}
