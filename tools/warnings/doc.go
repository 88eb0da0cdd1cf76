// Package warnings looks for false alarms: no example, and no test of one or of package
// asyncio, may be warned of but where it is made for that. See docs/sight.md for the warnings.
package warnings
