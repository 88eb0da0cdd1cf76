/* The same as echo.c with io_uring in place of epoll: one system call for a batch of
 * requests, which sends what the last batch has brought and waits for the next one.
 * It needs Linux 6.1. Prints "ready HOST:PORT"; with -check says whether the kernel
 * lets it, and ends.
 *
 * It does all that is known to make io_uring fast in one thread: completions are made
 * only when we ask (DEFER_TASKRUN), accept and receive are armed once and go on, a
 * connection that rests holds no buffer, descriptors are registered.
 *
 * What a peer sends lies in the shared buffers until it has taken the echo, so one that
 * never reads could take them all. The generator has one request in flight. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHUNK (64 * 1024)
#define STRIDE (CHUNK + 64) /* lest all begin in the same set of the cache */
#define BUFFERS 256      /* a power of two */
#define SUBMISSIONS 2048 /* the same */
#define COMPLETIONS (16 * 1024)
#define FILES (16 * 1024)

/* A buffer is the kernel's, or holds what a peer shall get, in a queue. */
struct buffer {
	unsigned len;
	struct buffer *next;
};

/* A peer is in the kernel's hands as long as it receives or sends. */
struct peer {
	int file; /* in the table of the ring */
	int receives, ended;
	struct buffer *first, *last; /* the first is being sent */
	struct peer *starved;        /* the next in this list */
};

/* What a completion is about: a peer's address has room for it. */
enum { ACCEPT, RECEIVE, SEND, CLOSE, WHAT = 7 };

static int ring;
static struct io_uring_sqe *submissions;
static unsigned *taken, *submitted, filled, entered;
static struct io_uring_cqe *completions;
static unsigned *seen, *completed;

static struct buffer buffers[BUFFERS];
static char *chunks;
static struct io_uring_buf_ring *offered;
static int held = BUFFERS;   /* those that are not offered */
static struct peer *starved; /* who found no buffer */

static void must(int ok, const char *what)
{
	if (!ok) {
		perror(what);
		exit(1);
	}
}

/* enter submits all, and waits until there is something to do. */
static void enter(unsigned wait)
{
	int n;

	__atomic_store_n(submitted, filled, __ATOMIC_RELEASE);
	n = syscall(SYS_io_uring_enter, ring, filled - entered, wait, IORING_ENTER_GETEVENTS, NULL, 0);
	if (n >= 0)
		entered += n;
	else
		must(errno == EINTR || errno == EAGAIN || errno == EBUSY, "io_uring_enter");
}

static struct io_uring_sqe *submit(int op, int file, struct peer *p, int what)
{
	struct io_uring_sqe *s = &submissions[filled & (SUBMISSIONS - 1)];

	while (filled - __atomic_load_n(taken, __ATOMIC_ACQUIRE) == SUBMISSIONS)
		enter(0);
	filled++;
	memset(s, 0, sizeof *s);
	s->opcode = op;
	s->fd = file;
	s->user_data = (uintptr_t)p | what;
	return s;
}

static void take(int listener)
{
	struct io_uring_sqe *s = submit(IORING_OP_ACCEPT, listener, NULL, ACCEPT);

	s->ioprio = IORING_ACCEPT_MULTISHOT;
	s->file_index = IORING_FILE_INDEX_ALLOC;
}

static void receive(struct peer *p)
{
	struct io_uring_sqe *s = submit(IORING_OP_RECV, p->file, p, RECEIVE);

	s->flags = IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
	s->ioprio = IORING_RECV_MULTISHOT;
	p->receives = 1;
}

/* The kernel goes on sending until all is sent. */
static void send_first(struct peer *p)
{
	struct io_uring_sqe *s = submit(IORING_OP_SEND, p->file, p, SEND);

	s->flags = IOSQE_FIXED_FILE;
	s->addr = (uintptr_t)chunks + (p->first - buffers) * STRIDE;
	s->len = p->first->len;
	s->msg_flags = MSG_WAITALL | MSG_NOSIGNAL;
}

static void offer(struct buffer *b)
{
	struct io_uring_buf *o = &offered->bufs[offered->tail & (BUFFERS - 1)];

	o->addr = (uintptr_t)chunks + (b - buffers) * STRIDE;
	o->len = CHUNK;
	o->bid = b - buffers;
	__atomic_store_n(&offered->tail, offered->tail + 1, __ATOMIC_RELEASE);
	held--;
}

/* One that found no buffer tries again if there is one now. If there is none, all are
 * being sent, and this is asked again when one has been. */
static void feed(void)
{
	while (starved && held < BUFFERS) {
		struct peer *p = starved;
		starved = p->starved;
		receive(p);
	}
}

static void forget_if_done(struct peer *p)
{
	struct io_uring_sqe *s;

	if (!p->ended || p->receives || p->first)
		return;
	s = submit(IORING_OP_CLOSE, 0, NULL, CLOSE);
	s->file_index = p->file + 1;
	free(p);
}

static void received(struct peer *p, struct io_uring_cqe *c)
{
	struct buffer *b = &buffers[c->flags >> IORING_CQE_BUFFER_SHIFT];

	p->receives = (c->flags & IORING_CQE_F_MORE) != 0;
	if (c->res == -ENOBUFS) {
		p->starved = starved;
		starved = p;
		return;
	}
	if (c->flags & IORING_CQE_F_BUFFER)
		held++;
	if (c->res <= 0) {
		if (c->flags & IORING_CQE_F_BUFFER)
			offer(b);
		p->ended = 1;
		forget_if_done(p);
		return;
	}
	b->len = c->res;
	b->next = NULL;
	if (p->first) {
		p->last = p->last->next = b;
	} else {
		p->first = p->last = b;
		send_first(p);
	}
	if (!p->receives)
		receive(p);
}

/* A peer to which nothing can be sent loses the rest; its next receive ends it. */
static void sent(struct peer *p, int n)
{
	do {
		struct buffer *b = p->first;
		p->first = b->next;
		offer(b);
	} while (n < 0 && p->first);
	if (p->first)
		send_first(p);
	else
		forget_if_done(p);
}

static void accepted(struct io_uring_cqe *c, int listener)
{
	struct peer *p;

	if (c->res >= 0) {
		must((p = calloc(1, sizeof *p)) != NULL, "calloc");
		p->file = c->res;
		receive(p);
	}
	if (!(c->flags & IORING_CQE_F_MORE))
		take(listener);
}

static void *map(size_t len, int fd, off_t at)
{
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED | MAP_POPULATE;
	void *m = mmap(NULL, len, PROT_READ | PROT_WRITE, flags, fd, at);

	must(m != MAP_FAILED, "mmap");
	return m;
}

static void make_ring(void)
{
	struct io_uring_params p = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN |
			 IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE,
		.cq_entries = COMPLETIONS,
	};
	struct io_uring_buf_reg r = { .ring_entries = BUFFERS };
	struct io_uring_rsrc_register f = { .nr = FILES, .flags = IORING_RSRC_REGISTER_SPARSE };
	unsigned *order;
	char *m;

	must((ring = syscall(SYS_io_uring_setup, SUBMISSIONS, &p)) >= 0, "io_uring_setup");
	m = map(p.sq_off.array + SUBMISSIONS * sizeof *order, ring, IORING_OFF_SQ_RING); /* it is the last in there */
	submissions = map(SUBMISSIONS * sizeof *submissions, ring, IORING_OFF_SQES);
	taken = (unsigned *)(m + p.sq_off.head);
	submitted = (unsigned *)(m + p.sq_off.tail);
	order = (unsigned *)(m + p.sq_off.array);
	for (int i = 0; i < SUBMISSIONS; i++)
		order[i] = i;
	seen = (unsigned *)(m + p.cq_off.head);
	completed = (unsigned *)(m + p.cq_off.tail);
	completions = (struct io_uring_cqe *)(m + p.cq_off.cqes);

	offered = map(BUFFERS * sizeof(struct io_uring_buf), -1, 0);
	chunks = map((size_t)BUFFERS * STRIDE, -1, 0);
	r.ring_addr = (uintptr_t)offered;
	must(syscall(SYS_io_uring_register, ring, IORING_REGISTER_PBUF_RING, &r, 1) == 0, "buffers of io_uring");
	must(syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES2, &f, sizeof f) == 0, "files of io_uring");
	for (int i = 0; i < BUFFERS; i++)
		offer(&buffers[i]);
}

/* TCP_NODELAY of a listener is that of what it accepts. */
static int listen_anywhere(void)
{
	static const int on = 1;
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(fd >= 0 && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
	     bind(fd, (struct sockaddr *)&a, len) == 0 && listen(fd, 1024) == 0 &&
	     getsockname(fd, (struct sockaddr *)&a, &len) == 0, "listen");
	printf("ready 127.0.0.1:%d\n", ntohs(a.sin_port));
	fflush(stdout);
	return fd;
}

int main(int argc, char **argv)
{
	int listener;

	make_ring();
	if (argc > 1 && strcmp(argv[1], "-check") == 0)
		return 0;
	take(listener = listen_anywhere());
	for (;;) {
		unsigned at, end;

		enter(1);
		end = __atomic_load_n(completed, __ATOMIC_ACQUIRE);
		for (at = *seen; at != end; at++) {
			struct io_uring_cqe *c = &completions[at & (COMPLETIONS - 1)];
			struct peer *p = (struct peer *)(uintptr_t)(c->user_data & ~(uint64_t)WHAT);

			switch (c->user_data & WHAT) {
			case ACCEPT: accepted(c, listener); break;
			case RECEIVE: received(p, c); break;
			case SEND: sent(p, c->res); break;
			}
			__atomic_store_n(seen, at + 1, __ATOMIC_RELEASE);
		}
		feed();
	}
}
