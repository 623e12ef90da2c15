/*
 * count.so: a plugin for qemu-arm that counts the instructions of a program, for
 * each of its threads. QEMU 7.2 of Debian comes without the header of its plugin
 * interface (version 1, docs/devel/tcg-plugins.rst of QEMU): what is used of it
 * is declared here.
 *
 * A block's instructions are added when it is entered, to a counter of the thread
 * that enters it. An addition that QEMU itself puts into the block would be
 * cheaper, but in 7.2 it is neither atomic nor for one thread.
 *
 * The counters lie in a file that others map (argument counts=PATH): counts[thread]. A
 * program reads its own in it too: getpgid(MAGIC) returns after the number of the
 * calling thread was stored behind them.
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
extern void qemu_plugin_register_vcpu_syscall_cb(plugin_id, void (*)(plugin_id, unsigned, int64_t, uint64_t, uint64_t,
	uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t));

#define EXPORT __attribute__((visibility("default")))

EXPORT int qemu_plugin_version = 1;

enum { THREADS = 255, GETPGID = 132, MAGIC = 0x0b0a7d00 };

static struct {
	volatile uint64_t counts[THREADS];
	volatile uint64_t caller; /* the thread that called getpgid(MAGIC) last */
} *shared;

static void entered(unsigned thread, void *instructions)
{
	shared->counts[thread % THREADS] += (uintptr_t)instructions;
}

static void translated(plugin_id id, struct qemu_plugin_tb *block)
{
	(void)id;
	qemu_plugin_register_vcpu_tb_exec_cb(block, entered, 0, (void *)qemu_plugin_tb_n_insns(block));
}

static void called(plugin_id id, unsigned thread, int64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
	uint64_t e, uint64_t f, uint64_t g, uint64_t h)
{
	(void)id, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;
	if (number == GETPGID && (uint32_t)a == MAGIC)
		shared->caller = thread % THREADS;
}

EXPORT int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "counts=", 7) != 0)
		return -1;
	int fd = open(argv[0] + 7, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof *shared) != 0)
		return -1;
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (shared == MAP_FAILED)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_vcpu_syscall_cb(id, called);
	return 0;
}
