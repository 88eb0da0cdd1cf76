// Package fd is the floor of package asyncio on which its connections, sockets,
// datagrams, pipes and processes stand: what they ask of the system. It knows loops of
// package sched, and nothing of tasks that are cancelled, futures and protocols; what
// suspends a task, and the words of most errors, are above.
//
// Of descriptors that the loop watches it has how they are opened and duplicated,
// their addresses, their options, and the gate that keeps a number from being used
// after its end. For systems where the loop watches none it has what goroutines do:
// ReadAhead, WriteBehind, Ahead and Packets, on files of packages net and os.
package fd
