//go:build !(linux && !android && (amd64 || arm64) && gc && !purego && !race && !msan && !asan && !valgrind && !goexperiment.runtimesecret && go1.25 && (!go1.28 || greenlet_untested_go))

package greenlet

import "github.com/go-greenlet/greenlet/internal/rt"

// In this build the generic switch is the only one.
const assembly = false

var enter func(g *Greenlet, v any, err error) (any, error)

func init() { enter = slow }

func addressOf(*Greenlet) uintptr { return 0 }

func resume(*Greenlet, any, error) (any, error) { return nil, nil }

func swap(rt.G, *uint32) (any, error) { return nil, nil }

func (c *carrier) exchange(*carrier, *uint32) (any, error) { return nil, nil }
func (c *carrier) park(*carrier, *uint32)                  {}
func (c *carrier) inherit()                                {}
func (b *batch) start()                                    {}
func (c *carrier) ready()                                  {}

func slotted(rt.G) *carrier { return nil }

// Without it each function is an object.
type function struct{}

const functionsFit = false

func within[F any](_ *function, f F) F { return f }
