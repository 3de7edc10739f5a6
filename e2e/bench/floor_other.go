//go:build !linux

package main

import (
	"context"
	"errors"
	"time"
)

var errNoFloor = errors.New("the bare system calls are only measured on Linux")

func syscalls(context.Context, []string) error { return errNoFloor }

func (b *bench) floor(context.Context, shape) (time.Duration, error) { return 0, errNoFloor }
