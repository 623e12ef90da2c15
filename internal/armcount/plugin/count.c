/*
 * count.so: a plugin for qemu-arm that counts the instructions of a program, for
 * each of its threads, in a file that others map (argument counts=PATH): 256
 * numbers of 64 bits, one a thread.
 *
 * Debian's QEMU 7.2 comes without the header of its plugin interface (version 1,
 * docs/devel/tcg-plugins.rst of QEMU): what is used of it is declared here.
 *
 * A block's instructions are added when it is entered, by a call that knows the
 * thread. An addition that QEMU itself puts into the block would be faster, but
 * in 7.2 it is neither atomic nor for one thread, and loses counts.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_info;

extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct qemu_plugin_tb *));
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, void (*)(unsigned, void *), int flags, void *);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);

#define EXPORT __attribute__((visibility("default")))

EXPORT int qemu_plugin_version = 1;

enum { THREADS = 256 };

static volatile uint64_t *counts;

static void entered(unsigned thread, void *instructions)
{
	counts[thread % THREADS] += (uintptr_t)instructions;
}

static void translated(plugin_id id, struct qemu_plugin_tb *block)
{
	(void)id;
	qemu_plugin_register_vcpu_tb_exec_cb(block, entered, 0, (void *)qemu_plugin_tb_n_insns(block));
}

EXPORT int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv)
{
	static const char key[] = "counts=";

	(void)info;
	if (argc != 1 || strncmp(argv[0], key, sizeof key - 1) != 0)
		return -1;
	int fd = open(argv[0] + sizeof key - 1, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -1;
	void *file = mmap(NULL, THREADS * sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (file == MAP_FAILED)
		return -1;
	counts = file;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
