/* execs N [WORKERS]: run /bin/true N times, one after the other; with WORKERS, that many processes do so at once. */
#include "held.h"
#include <sys/wait.h>

static pid_t start(void)
{
	pid_t child = vfork();
	if (child == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(127);
	}
	return child;
}

static void run(long count)
{
	for (long i = 0; i < count; i++) {
		int status;
		pid_t child = start();
		if (child < 0 || waitpid(child, &status, 0) != child)
			fail("vfork");
		if (status != 0) {
			fputs("/bin/true does not run\n", stderr);
			exit(1);
		}
	}
}

int main(int argc, char **argv)
{
	long count = argc > 1 ? atol(argv[1]) : 1, workers = argc > 2 ? atol(argv[2]) : 1;
	struct cost before = held();
	if (workers == 1)
		run(count);
	for (long i = 0; workers > 1 && i < workers; i++) {
		pid_t worker = fork();
		if (worker < 0)
			fail("fork");
		if (worker == 0) {
			run(count);
			_exit(0);
		}
	}
	while (workers > 1 && wait(NULL) > 0)
		;
	tell(before);
	return 0;
}
