/* A bare send loop: the least that a fan-out can cost. A handshake, then at each tick one send(2) to every socket.

   send_loop PORT ROWS

   Each line on stdin, "RATE SECONDS", makes it tick that often for that long; it prints "done" afterwards. It checks
   nothing and keeps no state: what it costs is the system call. Frames have the shape of Headwater's deltas. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { VIEWERS = 20000 };
static int fds[VIEWERS], open_count, rows; static char shaken[VIEWERS + 100];
static uint64_t now_ns(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1000000000ull + t.tv_nsec; }

static size_t make_frame(unsigned char *out, uint64_t seq) {
    static char text[65536]; int at = 0;
    at += sprintf(text + at, "{\"op\":\"delta\",\"channel\":\"bench.loop\",\"epoch\":\"loop\",\"after\":%lu,\"seq\":%lu,\"data\":{\"set\":{", seq - 1, seq);
    for (int i = 0; i < rows; i++) {
        at += sprintf(text + at, "%s\"signal %02d\":{\"name\":\"signal %02d\",\"value\":%lu,\"text\":", i ? "," : "", i, i, seq * 31 % 100000 + i);
        at += sprintf(text + at, "\"as it came %lu\"}", seq);
    }
    at += sprintf(text + at, "}},\"times\":{\"created\":[1700000000000,1700000000000],\"ingested\":[1700000000000,1700000000000],"
        "\"processed\":1700000000000,\"events\":%d,\"sent\":1700000000000}}", rows);
    out[0] = 0x81; out[1] = 126; out[2] = at >> 8; out[3] = at & 255;
    memcpy(out + 4, text, at);
    return at + 4;
}

int main(int argc, char **argv) {
    if (argc != 3) { fprintf(stderr, "usage: send_loop PORT ROWS\n"); return 2; }
    rows = atoi(argv[2]);
    struct rlimit limit; getrlimit(RLIMIT_NOFILE, &limit); limit.rlim_cur = limit.rlim_max; setrlimit(RLIMIT_NOFILE, &limit);
    signal(SIGPIPE, SIG_IGN);
    int one = 1, server = socket(AF_INET, SOCK_STREAM, 0), poll_fd = epoll_create1(0);
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(server, (struct sockaddr *) &at, sizeof at) || listen(server, 4096)) { perror("send_loop"); return 1; }
    struct epoll_event event = {.events = EPOLLIN, .data.fd = server}, events[256];
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, server, &event);
    event.data.fd = 0; epoll_ctl(poll_fd, EPOLL_CTL_ADD, 0, &event);
    printf("ready\n"); fflush(stdout);
    uint64_t seq = 0;
    for (;;) {
        int n = epoll_wait(poll_fd, events, 256, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd; static char data[65536];
            if (fd == server) {
                int taken = accept(server, NULL, NULL);
                if (taken < 0 || taken >= VIEWERS) continue;
                setsockopt(taken, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                event.events = EPOLLIN; event.data.fd = taken; epoll_ctl(poll_fd, EPOLL_CTL_ADD, taken, &event);
            } else if (fd == 0) {
                ssize_t got = read(0, data, sizeof data - 1); double rate, seconds;
                if (got <= 0) return 0;
                data[got] = 0;
                if (sscanf(data, "%lf %lf", &rate, &seconds) != 2) continue;
                uint64_t start = now_ns(), ticks = rate * seconds;
                for (uint64_t tick = 0; tick < ticks; tick++) {
                    uint64_t due = start + tick * 1e9 / rate; struct timespec until = {due / 1000000000, due % 1000000000};
                    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
                    unsigned char frame[65600]; size_t size = make_frame(frame, ++seq);
                    for (int v = 0; v < open_count; v++)
                        if (send(fds[v], frame, size, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t) size) { fprintf(stderr, "send_loop: short send\n"); return 1; }
                }
                printf("done\n"); fflush(stdout);
            } else {
                ssize_t got = recv(fd, data, sizeof data, MSG_DONTWAIT);
                if (got <= 0) { epoll_ctl(poll_fd, EPOLL_CTL_DEL, fd, NULL); continue; }
                if (!shaken[fd]) {
                    static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
                    if (send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) > 0) { shaken[fd] = 1; fds[open_count++] = fd; }
                }
            }
        }
    }
}
