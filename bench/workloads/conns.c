/* conns N: connect to a listener of our own on loopback, accept, and close both ends, N times. */
#include "held.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static int checked(int result, const char *what)
{
	if (result < 0)
		fail(what);
	return result;
}

int main(int argc, char **argv)
{
	long count = argc > 1 ? atol(argv[1]) : 1;
	struct sockaddr_in place = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct linger at_once = { .l_onoff = 1, .l_linger = 0 }; /* no TIME_WAIT: ports do not run out */
	socklen_t size = sizeof place;
	int listener = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
	checked(bind(listener, (struct sockaddr *)&place, size), "bind");
	checked(listen(listener, 16), "listen");
	checked(getsockname(listener, (struct sockaddr *)&place, &size), "getsockname");
	struct cost before = held();
	for (long i = 0; i < count; i++) {
		int out = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
		checked(connect(out, (struct sockaddr *)&place, sizeof place), "connect");
		int in = checked(accept(listener, NULL, NULL), "accept");
		checked(setsockopt(out, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), "setsockopt");
		close(out);
		close(in);
	}
	tell(before);
	return 0;
}
