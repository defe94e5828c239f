/* web N FILE: a web server and its client on loopback: N requests, a connection for each, answered with that file. */
#include "held.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

static int checked(long result, const char *what)
{
	if (result < 0)
		fail(what);
	return result;
}

static void answer(int client, const char *path)
{
	char request[512], head[128];
	struct stat about;
	off_t at = 0;
	int file = checked(open(path, O_RDONLY), path);
	checked(fstat(file, &about), "fstat");
	checked(read(client, request, sizeof request), "read");
	int size = snprintf(head, sizeof head, "HTTP/1.0 200 OK\r\nContent-Length: %ld\r\n\r\n", (long)about.st_size);
	checked(write(client, head, size), "write");
	while (at < about.st_size)
		checked(sendfile(client, file, &at, about.st_size - at), "sendfile");
	close(file);
	close(client);
}

static void ask(const struct sockaddr_in *place)
{
	static const char request[] = "GET / HTTP/1.0\r\n\r\n";
	char part[65536];
	int server = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
	checked(connect(server, (const struct sockaddr *)place, sizeof *place), "connect");
	checked(write(server, request, strlen(request)), "write");
	while (checked(read(server, part, sizeof part), "read") > 0)
		;
	close(server);
}

int main(int argc, char **argv)
{
	long count = argc > 1 ? atol(argv[1]) : 1;
	struct sockaddr_in place = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof place;
	int listener = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
	checked(bind(listener, (struct sockaddr *)&place, size), "bind");
	checked(listen(listener, 64), "listen");
	checked(getsockname(listener, (struct sockaddr *)&place, &size), "getsockname");
	struct cost before = held();
	pid_t server = checked(fork(), "fork");
	if (server == 0) {
		for (long i = 0; i < count; i++)
			answer(checked(accept(listener, NULL, NULL), "accept"), argc > 2 ? argv[2] : "/etc/passwd");
		_exit(0);
	}
	for (long i = 0; i < count; i++)
		ask(&place);
	checked(waitpid(server, NULL, 0), "waitpid");
	tell(before);
	return 0;
}
