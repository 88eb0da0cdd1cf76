package greenlet

import "github.com/go-greenlet/greenlet/internal/rt"

// What the sight table says of trees and greenlets: see package rt.
func init() {
	var h hub
	rt.Tell("trees", rt.Address(&roots.first))
	var r root
	rt.Tell("root.next", rt.Offset(&r, &r.next))
	rt.Tell("root.hub", rt.Offset(&r, &r.hub))
	rt.Tell("hub.live", rt.Offset(&h, &h.live))
	rt.Tell("hub.rootID", rt.Offset(&h, &h.rootID))
	var g Greenlet
	rt.Tell("Greenlet.c", rt.Offset(&g, &g.c))
	rt.Tell("Greenlet.name", rt.Offset(&g, &g.name))
	var c carrier
	rt.Tell("carrier.g", rt.Offset(&c, &c.g))
	rt.Tell("carrier.handle", rt.Offset(&c, &c.handle))
	rt.Tell("carrier.old", rt.Offset(&c, &c.old))
	var o old
	rt.Tell("old.name", rt.Offset(&o, &o.name))
	rt.Tell("backend", rt.Address(&backend.Name))
	rt.Tell("backend.reason", rt.Address(&backend.Reason))
}
