package main

import (
	"context"
	"errors"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A page is what a server that is not to be relied on has under an address.
type page struct {
	links []string
	slow  int // how often it takes for ever
	busy  int // how often it is refused
}

var (
	errBusy     = errors.New("server busy")
	errNotFound = errors.New("not found")
)

// A site stands for the network.
type site map[string]*page

// newSite makes a site with all kinds of trouble.
func newSite() site {
	return site{
		"/":       {links: []string{"/news", "/docs", "/about"}},
		"/news":   {links: []string{"/", "/lost", "/docs"}, busy: 2},
		"/docs":   {links: []string{"/docs/a", "/docs/b"}},
		"/about":  {links: []string{"/"}, slow: 1},
		"/docs/a": {links: []string{"/docs", "/docs/b"}},
		"/docs/b": {links: []string{"/docs"}, busy: 9},
	}
}

// fetch returns the links of a page.
func (s site) fetch(ctx context.Context, url string) ([]string, error) {
	if err := asyncio.Sleep(ctx, 20*time.Millisecond); err != nil {
		return nil, err
	}
	p := s[url]
	switch {
	case p == nil:
		return nil, errNotFound
	case p.slow > 0:
		p.slow--
		return nil, asyncio.Sleep(ctx, time.Hour)
	case p.busy > 0:
		p.busy--
		return nil, errBusy
	}
	return p.links, nil
}
