package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"syscall"
	"time"
)

// syscalls is the child "syscalls": what the kernel alone asks for the streams. One thread, raw
// sockets, closed loop: write the request, wait, read, until the end of the answer was seen.
func syscalls(_ context.Context, args []string) error {
	target, err := url.Parse(args[0])
	if err != nil {
		return err
	}
	port, _ := strconv.Atoi(target.Port())
	conns, _ := strconv.Atoi(args[1])
	streams, _ := strconv.Atoi(args[2]) // our own parent wrote them
	body := requestBody(tokens)
	request := fmt.Appendf(nil, "POST /v1/chat/completions HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		target.Host, len(body), body)
	poll, err := syscall.EpollCreate1(0)
	if err != nil {
		return err
	}
	for range conns {
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		if err := syscall.Connect(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
			return err
		}
		if err := syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1); err != nil {
			return err
		}
		if err := syscall.EpollCtl(poll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}); err != nil {
			return err
		}
		if _, err := syscall.Write(fd, request); err != nil {
			return err
		}
	}
	events := make([]syscall.EpollEvent, 64)
	buf := make([]byte, 16<<10)
	for done := 0; done < streams; {
		n, err := syscall.EpollWait(poll, events, -1)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		for _, e := range events[:n] {
			fd := int(e.Fd)
			got, err := syscall.Read(fd, buf)
			if err != nil || got == 0 {
				return fmt.Errorf("the server closed: %w", err)
			}
			if !bytes.HasSuffix(buf[:got], []byte("\r\n0\r\n\r\n")) {
				continue
			}
			done++
			if _, err := syscall.Write(fd, request); err != nil {
				return err
			}
		}
	}
	return nil
}

// floor is the CPU a stream costs in system calls alone, with about as many streams open at a time
// as the peers have.
func (b *bench) floor(ctx context.Context, s shape) (time.Duration, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	conns := 1
	if s.url == b.server.urls[1] {
		conns = max(1, int(float64(s.rate)*float64(tokens+2)*step.Seconds()))
	}
	var all []time.Duration
	for range b.rounds {
		var costs [2]time.Duration
		var counts [2]int
		for i, length := range []time.Duration{b.length / 10, b.length} {
			counts[i] = int(float64(s.rate) * length.Seconds())
			c, err := call(ctx, "", self, "syscalls", s.url, strconv.Itoa(conns), strconv.Itoa(counts[i]))
			if err != nil {
				return 0, err
			}
			costs[i] = c.cpu
		}
		all = append(all, (costs[1]-costs[0])/time.Duration(max(counts[1]-counts[0], 1)))
	}
	return median(all), nil
}
