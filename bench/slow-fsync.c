/*
 * Runs a command whose fsync and fdatasync take longer, as on a slower disk:
 *
 *     slow-fsync MILLISECONDS COUNT_FILE COMMAND [ARGUMENT...]
 *
 * A seccomp filter hands these two system calls to a supervisor, which waits, writes one byte to COUNT_FILE, and lets the
 * kernel go on with the call. It works below libc, so it catches statically linked programs and all child processes too.
 * The command keeps the process id. The supervisor is nobody's child, so what it costs is not counted as the command's,
 * and ends with the last process under the filter. Linux 5.8 or later.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "slow-fsync knows x86-64 and arm64 only"
#endif

/* So many calls may wait at the same time, as they would on a disk. */
#define THREADS 64

static int listener;
static int count_file;
static struct timespec delay;

static void fail(const char *what) {
  fprintf(stderr, "slow-fsync: %s: %s\n", what, strerror(errno));
  exit(125);
}

static void *answer_calls(void *unused) {
  for (;;) {
    struct seccomp_notif call = {0};
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) continue;
    nanosleep(&delay, NULL);
    if (write(count_file, ".", 1) != 1) fail("count file");
    struct seccomp_notif_resp answer = {.id = call.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    /* Fails where the caller was killed meanwhile, which is no matter. */
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
  }
  return unused;
}

/* Answers calls until no process is left that could make one. */
static void supervise(void) {
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 64 * 1024);
  for (int number = 0; number < THREADS; number++) {
    pthread_t thread;
    if (pthread_create(&thread, &small, answer_calls, NULL) != 0) fail("thread");
  }
  struct pollfd gone = {.fd = listener};
  while (poll(&gone, 1, -1) < 0 || !(gone.revents & POLLHUP)) {
  }
  _exit(0);
}

static int install_filter(void) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fsync, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fdatasync, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {.len = sizeof filter / sizeof filter[0], .filter = filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail("no_new_privs");
  int made = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
  if (made < 0) fail("seccomp filter");
  return made;
}

/* The one message that crosses: the file descriptor of the listener. */
static void pass(int socket, int *descriptor, int sending) {
  char byte = 0;
  union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr aligned;
  } control = {0};
  struct iovec data = {.iov_base = &byte, .iov_len = 1};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  if (sending) {
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
    memcpy(CMSG_DATA(header), descriptor, sizeof(int));
    if (sendmsg(socket, &message, 0) != 1) fail("sending the listener");
  } else {
    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1) _exit(125);
    memcpy(descriptor, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
  }
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "slow-fsync: expected MILLISECONDS COUNT_FILE COMMAND [ARGUMENT...]\n");
    return 125;
  }
  double milliseconds = atof(argv[1]);
  delay.tv_sec = (time_t)(milliseconds / 1000);
  delay.tv_nsec = (long)((milliseconds - 1000.0 * (double)delay.tv_sec) * 1e6);
  count_file = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (count_file < 0) fail(argv[2]);
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) fail("socket pair");

  pid_t middle = fork();
  if (middle < 0) fail("fork");
  if (middle == 0) {
    if (fork() != 0) _exit(0);
    setsid();
    close(pair[0]);
    pass(pair[1], &listener, 0);
    supervise();
  }
  waitpid(middle, NULL, 0);
  listener = install_filter();
  pass(pair[0], &listener, 1);
  close(listener);
  execvp(argv[3], argv + 3);
  fail(argv[3]);
}
