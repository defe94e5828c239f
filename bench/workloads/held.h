/* What the workloads share: they wait to be let go, tell what their work cost, and wait again before they end.
 *
 * On standard output: `ready`, then `done WALL USER SYSTEM` in microseconds, with all children that were waited for.
 * Each waits for a byte on standard input, so that whoever measures can look at everything in between. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct cost { double wall, user, system; };

static double seconds(struct timeval t) { return t.tv_sec + t.tv_usec / 1e6; }

static struct cost cost_now(void)
{
	struct timespec now;
	struct rusage own, children;
	clock_gettime(CLOCK_MONOTONIC, &now);
	getrusage(RUSAGE_SELF, &own);
	getrusage(RUSAGE_CHILDREN, &children);
	return (struct cost){
		now.tv_sec + now.tv_nsec / 1e9,
		seconds(own.ru_utime) + seconds(children.ru_utime),
		seconds(own.ru_stime) + seconds(children.ru_stime),
	};
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void wait_for_a_byte(void)
{
	char byte;
	if (read(0, &byte, 1) != 1)
		exit(1);
}

static struct cost held(void)
{
	puts("ready");
	fflush(stdout);
	wait_for_a_byte();
	return cost_now();
}

static void tell(struct cost before)
{
	struct cost now = cost_now();
	printf("done %.0f %.0f %.0f\n", (now.wall - before.wall) * 1e6, (now.user - before.user) * 1e6,
	       (now.system - before.system) * 1e6);
	fflush(stdout);
	wait_for_a_byte();
}
