package rules

import (
	"go/types"
	"strings"
)

// settle finds out which units are on the loop, and why.
func (c *checker) settle() {
	for more := true; more; {
		more = false
		for _, u := range c.units {
			more = c.settleNeeds(u) || more
		}
	}
	for _, u := range c.units {
		switch needs := u.needs(); {
		case u.place == task:
			u.onLoop, u.why = true, "in a function that "+u.by+" runs"
		case u.place == callback:
			u.onLoop, u.why = true, "in a callback of "+u.by
		case needs != "" && u.place != away:
			u.onLoop, u.why = true, "in a task, as it calls "+needs
		}
	}
	for more := true; more; {
		more = false
		for _, u := range c.units {
			if !u.onLoop {
				continue
			}
			for _, s := range u.sites {
				to := s.unit
				if to == nil || to.onLoop || to.place == away || !c.onWay(u, s) {
					continue
				}
				to.onLoop, more = true, true
				to.why = "called by " + u.name()
				if to.lit != nil && s.call == nil {
					to.why = u.why
				}
			}
		}
	}
}

// settleNeeds has the calls in u tell what they need, by what is known of their
// callees, and reports whether that is news.
func (c *checker) settleNeeds(u *unit) (news bool) {
	for _, s := range u.sites {
		if s.needs != "" {
			continue
		}
		if to := s.unit; to != nil {
			needs := to.needs()
			if needs != "" && !s.waits {
				s.waits, news = true, true
			}
			if !c.forBoth(to) {
				s.needs = needs
				if to.fn != nil && s.needs != "" {
					s.needs = to.fn.Name()
				}
			}
		} else if s.fn != nil && !inAsyncio(s.fn) && s.fn.Pkg() != c.Pkg {
			if c.ImportObjectFact(s.fn, new(needsTask)) {
				s.needs = short(s.fn)
			}
		}
		if s.needs != "" {
			s.waits, news = true, true
		}
	}
	return news
}

// needs is what u calls that needs a task, or nothing.
func (u *unit) needs() string {
	for _, s := range u.sites {
		if s.needs != "" {
			return s.needs
		}
	}
	return ""
}

// onWay reports whether u comes by s when it is on the loop. A function that is
// there because of what it calls is so on the ways to that and from it.
func (c *checker) onWay(u *unit, s *site) bool {
	if u.place == task || u.place == callback {
		return true
	}
	needs := false
	for _, other := range u.sites {
		if other.needs != "" {
			needs = true
			if other == s || c.together(u, s.at, other.at) {
				return true
			}
		}
	}
	return !needs
}

// forBoth reports whether u is for tasks and for goroutines: it asks which, or it
// waits as a task on some ways and blocks on others.
func (c *checker) forBoth(u *unit) bool {
	if len(u.off) > 0 {
		return true
	}
	for _, s := range u.sites {
		if s.rule != "" && !c.onWay(u, s) {
			return true
		}
	}
	return false
}

// blocking is what s does that blocks, if it does.
func (c *checker) blocking(s *site) (b blocks, ok bool) {
	if s.rule != "" {
		return blocks{Rule: s.rule, What: s.what, Instead: s.instead, Where: c.where(s.pos)}, true
	}
	if s.unit != nil || s.fn == nil || s.fn.Pkg() == c.Pkg {
		return b, false
	}
	return c.blockingFunc(s.fn)
}

func (c *checker) blockingFunc(f *types.Func) (b blocks, ok bool) {
	if !c.ImportObjectFact(f, &b) || !withDeps && c.Module != nil && b.Module != c.Module.Path || fine(f) {
		return blocks{}, false
	}
	return b, true
}

// fineLibraries block in a way that does not stall the loop, for moments: see the
// table of docs/net-conn.md.
var fineLibraries = []string{"github.com/jackc/pgx/", "github.com/gomodule/redigo/", "github.com/redis/go-redis/", "github.com/go-sql-driver/", "github.com/lib/pq"}

func fine(f *types.Func) bool {
	for _, lib := range fineLibraries {
		if strings.HasPrefix(f.Pkg().Path()+"/", lib) {
			return true
		}
	}
	return false
}

// export tells the packages that import this one what its functions do. What is
// on the loop is reported here.
func (c *checker) export() {
	found := make(map[*unit]*blocks)
	for _, u := range c.units {
		if u.fn == nil {
			continue
		}
		if needs := u.needs(); needs != "" && !c.forBoth(u) {
			c.ExportObjectFact(u.fn, &needsTask{needs})
		}
		if b := c.blockedBy(u, found); b != nil && !u.onLoop {
			c.ExportObjectFact(u.fn, b)
		}
	}
}

// blockedBy is the first thing that u blocks by, itself or in what it calls.
func (c *checker) blockedBy(u *unit, found map[*unit]*blocks) *blocks {
	if b, ok := found[u]; ok {
		return b
	}
	found[u] = nil // for a circle of calls
	for _, s := range u.sites {
		if !c.onWay(u, s) {
			continue
		}
		if s.unit != nil {
			if !s.unit.onLoop {
				if b := c.blockedBy(s.unit, found); b != nil {
					found[u] = b
					return b
				}
			}
			continue
		}
		b, ok := c.blocking(s)
		if !ok || c.ignores.cover(c.Fset, s.pos, b.Rule) {
			continue
		}
		if b.Module == "" && c.Module != nil {
			b.Module = c.Module.Path
		}
		found[u] = &b
		return &b
	}
	return nil
}

// judge reports the faults of u.
func (c *checker) judge(u *unit) {
	if u.onLoop {
		c.judgeBlocking(u)
		c.judgeLocks(u)
		c.judgeLoops(u)
	}
	c.judgePlace(u)
	c.judgeErrors(u)
	c.judgeTasks(u)
	c.judgeContexts(u)
}

// judgeBlocking reports what blocks in u, which is on the loop.
func (c *checker) judgeBlocking(u *unit) {
	for _, s := range u.sites {
		b, ok := c.blocking(s)
		if !ok || !c.onWay(u, s) {
			continue
		}
		switch {
		case b.Rule == "GL112" && s.rule != "":
			c.report(s.pos, b.Rule, "%s is refused %s: a loop runs already; call the function itself", b.What, u.why)
		case s.rule == "":
			c.report(s.pos, b.Rule, "%s blocks the loop, %s: it calls %s at %s; use %s", short(s.fn), u.why, b.What, b.Where, b.Instead)
		case s.what == "sql.DB.SetMaxOpenConns":
			c.report(s.pos, b.Rule, "who asks for more connections than that blocks the loop: use %s", b.Instead)
		default:
			c.report(s.pos, b.Rule, "%s blocks the loop, %s: use %s", b.What, u.why, b.Instead)
		}
	}
}

// judgeGiven reports functions of other packages that block, given to be run here.
func (c *checker) judgeGiven() {
	for _, g := range c.given {
		if g.fn == nil || g.place != task && g.place != callback {
			continue
		}
		if b, ok := blockers[nameOf(g.fn)]; ok {
			c.report(g.pos, b.rule, "%s blocks the loop, where %s runs it: use %s", short(g.fn), g.by, b.instead)
		} else if b, ok := c.blockingFunc(g.fn); ok {
			c.report(g.pos, b.Rule, "%s blocks the loop, where %s runs it: it calls %s at %s; use %s", short(g.fn), g.by, b.What, b.Where, b.Instead)
		}
	}
}
