/**
 * System calls that containers may make, as in Docker's default profile (docs, "Seccomp security profiles"),
 * a list of what is allowed: all else fails with EPERM. Grouped by what they are for.
 */
const words = (text: string): string[] => text.trim().split(/\s+/);

export const allowedCalls: readonly string[] = words(`
  accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64
  recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socketcall socketpair
  access cachestat chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat
  faccessat2 fadvise64 fadvise64_64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl
  fcntl64 fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64
  fsync ftruncate ftruncate64 futimesat getcwd getdents getdents64 getxattr getxattrat ioctl lchown lchown32
  lgetxattr link linkat listxattr listxattrat llistxattr _llseek lremovexattr lseek lsetxattr lstat lstat64
  listmount mkdir mkdirat mknod mknodat newfstatat open openat openat2 pipe pipe2 pread64 preadv preadv2 pwrite64 pwritev
  pwritev2 read readahead readlink readlinkat readv removexattr removexattrat rename renameat renameat2 rmdir
  sendfile sendfile64 setxattr setxattrat splice stat stat64 statfs statfs64 statmount statx symlink symlinkat sync
  sync_file_range syncfs tee truncate truncate64 ugetrlimit umask unlink unlinkat utime
  utimensat utimensat_time64 utimes vmsplice write writev
  epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd
  eventfd2 fanotify_mark inotify_add_watch inotify_init inotify_init1 inotify_rm_watch poll ppoll ppoll_time64
  pselect6 pselect6_time64 select _newselect signalfd signalfd4 timerfd_create timerfd_gettime
  timerfd_gettime64 timerfd_settime timerfd_settime64
  alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64
  clock_nanosleep clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time timer_create
  timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 times adjtimex
  brk madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2
  mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect process_mrelease
  remap_file_pages
  capget capset pause execve execveat exit exit_group fork vfork wait4 waitid waitpid getcpu getegid getegid32
  geteuid geteuid32 getgid getgid32 getgroups getgroups32 getpgid getpgrp getpid getppid getpriority getrandom
  getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid gettid getuid getuid32 kill
  pidfd_open pidfd_send_signal prctl prlimit64 set_robust_list get_robust_list set_tid_address set_thread_area
  get_thread_area setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setpgid
  setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit
  setsid setuid setuid32 sigaltstack sigprocmask sigreturn
  rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
  rt_sigtimedwait_time64 rt_tgsigqueueinfo rseq tgkill tkill uname sysinfo
  sched_getaffinity sched_getattr sched_getparam sched_get_priority_max sched_get_priority_min
  sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr
  sched_setparam sched_setscheduler sched_yield ioprio_get ioprio_set
  futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake ipc msgctl msgget msgrcv msgsnd semctl
  semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget mq_getsetattr mq_notify mq_open
  mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink
  io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit
  landlock_add_rule landlock_create_ruleset landlock_restrict_self name_to_handle_at restart_syscall
  seccomp riscv_hwprobe uretprobe
`);

/** Only together with a capability, which the container's own set decides. */
export const callsOfCapability: Readonly<Record<string, readonly string[]>> = {
  CAP_DAC_READ_SEARCH: words('open_by_handle_at'),
  CAP_SYS_ADMIN: words(`
    bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules lsm_set_self_attr mount
    mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns
    syslog umount umount2 unshare`),
  CAP_SYS_BOOT: words('reboot'),
  CAP_SYS_CHROOT: words('chroot'),
  CAP_SYS_MODULE: words('delete_module init_module finit_module'),
  CAP_SYS_PACCT: words('acct'),
  CAP_SYS_PTRACE: words('kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace'),
  CAP_SYS_RAWIO: words('iopl ioperm'),
  CAP_SYS_TIME: words('settimeofday stime clock_settime clock_settime64'),
  CAP_SYS_TTY_CONFIG: words('vhangup'),
  CAP_SYS_NICE: words('get_mempolicy mbind set_mempolicy set_mempolicy_home_node'),
  CAP_SYSLOG: words('syslog'),
  CAP_BPF: words('bpf'),
  CAP_PERFMON: words('perf_event_open'),
};

/** For every container: the kernel itself restricts tracing to own descendants (since 4.8). */
export const tracingCalls = words('process_vm_readv process_vm_writev ptrace');

export const callsOfArch: Readonly<Record<string, readonly string[]>> = {
  x86_64: words('arch_prctl modify_ldt'),
  aarch64: words('arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls'),
};

export const seccompArches: Readonly<Record<string, readonly string[]>> = {
  x86_64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  aarch64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
};
