/* files N DIRECTORY: create, close and unlink N files there, one after the other. */
#include "held.h"
#include <fcntl.h>

int main(int argc, char **argv)
{
	long count = argc > 1 ? atol(argv[1]) : 1;
	if (argc > 2 && chdir(argv[2]))
		fail(argv[2]);
	struct cost before = held();
	for (long i = 0; i < count; i++) {
		char name[32];
		snprintf(name, sizeof name, "file-%ld.txt", i);
		int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
		if (fd < 0)
			fail(name);
		close(fd);
		if (unlink(name))
			fail(name);
	}
	tell(before);
	return 0;
}
