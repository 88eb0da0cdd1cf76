/* The limit: a TCP echo server with one level-triggered epoll, which makes two
 * system calls for a request and its part of epoll_wait. Prints "ready HOST:PORT". */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK (64 * 1024)

/* What a peer has not taken yet lies in rest; meanwhile nothing is read from it. */
struct peer {
	int fd;
	size_t from, to;
	char *rest;
};

static int ep;
static char chunk[CHUNK];

static void want(struct peer *p, int op, unsigned events)
{
	struct epoll_event e = { .events = events, .data.ptr = p };
	if (epoll_ctl(ep, op, p->fd, &e) < 0) {
		perror("epoll_ctl");
		exit(1);
	}
}

static void forget(struct peer *p)
{
	close(p->fd);
	free(p->rest);
	free(p);
}

static void echo(struct peer *p)
{
	ssize_t n = read(p->fd, chunk, CHUNK), sent;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		forget(p);
		return;
	}
	sent = write(p->fd, chunk, n);
	if (sent == n)
		return;
	if (sent < 0 && errno != EAGAIN) {
		forget(p);
		return;
	}
	if (sent < 0)
		sent = 0;
	if (!p->rest && !(p->rest = malloc(CHUNK))) {
		forget(p);
		return;
	}
	p->from = 0;
	p->to = n - sent;
	memcpy(p->rest, chunk + sent, p->to);
	want(p, EPOLL_CTL_MOD, EPOLLOUT);
}

static void send_rest(struct peer *p)
{
	ssize_t sent = write(p->fd, p->rest + p->from, p->to - p->from);

	if (sent < 0 && errno != EAGAIN) {
		forget(p);
		return;
	}
	if (sent > 0 && (p->from += sent) == p->to)
		want(p, EPOLL_CTL_MOD, EPOLLIN);
}

static void take_all(int listener)
{
	static const int on = 1;
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct peer *p = calloc(1, sizeof *p);
		if (!p) {
			close(fd);
			continue;
		}
		p->fd = fd;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		want(p, EPOLL_CTL_ADD, EPOLLIN);
	}
}

static int listen_anywhere(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) < 0 || listen(fd, 1024) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) < 0) {
		perror("listen");
		exit(1);
	}
	printf("ready 127.0.0.1:%d\n", ntohs(a.sin_port));
	fflush(stdout);
	return fd;
}

int main(void)
{
	struct epoll_event events[256];
	struct peer listener = { 0 };
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	ep = epoll_create1(EPOLL_CLOEXEC);
	listener.fd = listen_anywhere();
	want(&listener, EPOLL_CTL_ADD, EPOLLIN);
	for (;;) {
		int n = epoll_wait(ep, events, 256, -1);
		for (int i = 0; i < n; i++) {
			struct peer *p = events[i].data.ptr;
			if (p == &listener)
				take_all(p->fd);
			else if (events[i].events & EPOLLOUT)
				send_rest(p);
			else
				echo(p);
		}
	}
}
