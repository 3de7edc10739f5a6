package target

import (
	"os/signal"
	"syscall"
)

func syscallIgnoreTerm() { signal.Ignore(syscall.SIGTERM) }
