/* Viewers: many sockets on one loop, so that the client is never the bottleneck of a fan-out.

   viewers PORT COUNT DEFLATE GREETED CHANNEL[,CHANNEL...]

   Opens COUNT sockets, subscribes to the channels and prints "ready" once all are in (GREETED 1: once each has a
   snapshot of every channel; 0, for peers that know no channels: once the handshake is done). Then each line on stdin
   prints what happened since the last one, as a JSON line. Every viewer checks that each delta starts where the one
   before ended, and that the values are those of its seq (of a ticker's ticks, bench/rig/ticker.py: row i holds seq * 31 % 100000 + i; other data has no such rule).

   What many viewers get is the same bytes, so a frame is decoded once and compared by the others: a viewer's check is
   a memcmp of the whole frame. Between frames it naps instead of waiting to be woken: waking a process on another core
   is work of whoever sends, and would be charged to the server, the more the quicker the client. `reached` are the ticks of the first
   channel that every viewer has, each with the moment (CLOCK_MONOTONIC, in ns) when the last one got it. */
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
#include <zlib.h>

/* READ is the largest frame: a snapshot of a long course holds some megabytes. */
enum { CHANNELS = 8, CACHE = 16, TICKS = 4096, READ = 1 << 22, IN_FLIGHT = 64, NAP_NS = 50000 };
enum { OTHER, DELTA, SNAPSHOT };

struct viewer {
    int fd, open;
    unsigned have;                     /* bit per channel: a snapshot or a delta came */
    uint64_t seq[CHANNELS];
    uint32_t epoch[CHANNELS];
    unsigned char *rest; size_t rest_size;
    z_stream *inflater;                /* only for servers that keep their window */
};
struct decoded { unsigned char *raw; size_t size; int kind, channel, right; uint64_t after, seq; uint32_t epoch; };
struct tick { uint64_t seq, last; int count; };

static struct viewer *viewers;
static int count, deflate_on, greeted, channels, opened, ready, epoll_fd;
static char names[CHANNELS][64];
static struct decoded cache[CACHE]; static int cache_at;
static struct tick ticks[TICKS];
static struct tick reached_all[TICKS]; static int reached_count;
static uint64_t frames, bytes, gaps, wrong, merged, snapshots, closed, others;
static z_stream shared_inflater; static int keeps_window;
static unsigned char inflated[1 << 22];

static uint64_t now_ns(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1000000000ull + t.tv_nsec; }
static void die(const char *what) { fprintf(stderr, "viewers: %s: %s\n", what, strerror(errno)); exit(1); }

static void send_masked(struct viewer *v, int opcode, const char *payload, size_t size) {
    unsigned char out[4096]; size_t at = 0;
    out[at++] = 0x80 | opcode;
    if (size < 126) out[at++] = 0x80 | size; else { out[at++] = 0xFE; out[at++] = size >> 8; out[at++] = size & 255; }
    memset(out + at, 0, 4); at += 4;   /* a mask of zeros leaves the payload as it is */
    memcpy(out + at, payload, size);
    if (send(v->fd, out, at + size, MSG_NOSIGNAL) < 0 && errno != EAGAIN) { /* noticed when it is read */ }
}

static uint64_t number_after(const char *text, size_t size, const char *mark) {
    char *found = memmem(text, size, mark, strlen(mark));
    return found ? strtoull(found + strlen(mark), NULL, 10) : 0;
}

static int values_right(const char *text, size_t size, uint64_t seq) {
    uint64_t row = 0; const char *end = text + size, *at = text;
    while ((at = memmem(at, end - at, "\"value\":", 8))) {
        at += 8;
        if (strtoull(at, NULL, 10) != seq * 31 % 100000 + row++) return 0;
    }
    return row > 0;
}

static void decode(struct decoded *d, struct viewer *v, const unsigned char *payload, size_t size, int squeezed) {
    const char *text = (const char *) payload;
    d->kind = OTHER; d->right = 1; d->channel = -1;
    if (squeezed) {
        z_stream *z = keeps_window ? v->inflater : &shared_inflater;
        if (!keeps_window) inflateReset(z);
        z->next_out = inflated; z->avail_out = sizeof inflated - 1;
        z->next_in = (unsigned char *) payload; z->avail_in = size;
        int ok = inflate(z, Z_SYNC_FLUSH);
        unsigned char tail[4] = {0, 0, 255, 255};
        z->next_in = tail; z->avail_in = 4;
        if (ok == Z_OK || ok == Z_BUF_ERROR) ok = inflate(z, Z_SYNC_FLUSH);
        if (ok != Z_OK && ok != Z_BUF_ERROR) { d->right = 0; return; }
        size = sizeof inflated - 1 - z->avail_out; text = (char *) inflated; inflated[size] = 0;
    }
    if (size > 16 && !memcmp(text, "{\"op\":\"delta\"", 13)) d->kind = DELTA;
    else if (size > 16 && !memcmp(text, "{\"op\":\"snapshot\"", 16)) d->kind = SNAPSHOT;
    else return;
    char *named = memmem(text, size, "\"channel\":\"", 11);
    for (int c = 0; named && c < channels; c++)
        if (!strncmp(named + 11, names[c], strlen(names[c])) && named[11 + strlen(names[c])] == '"') d->channel = c;
    char *epoch = memmem(text, size, "\"epoch\":\"", 9);
    d->epoch = epoch ? crc32(0, (unsigned char *) epoch + 9, strcspn(epoch + 9, "\"")) : 0;
    d->after = number_after(text, size, "\"after\":");
    d->seq = number_after(text, size, "\"seq\":");
    char *data = memmem(text, size, "\"data\":", 7);
    if (d->channel == 0 && data && memmem(data, text + size - data, "\"as it came ", 12)) d->right = values_right(data, text + size - data, d->seq);
}

static struct decoded *look_up(struct viewer *v, const unsigned char *raw, size_t head, size_t size) {
    int squeezed = raw[0] & 0x40;
    if (!(squeezed && keeps_window))
        for (int i = 0; i < CACHE; i++) {
            struct decoded *d = &cache[(cache_at - 1 - i) & (CACHE - 1)];
            if (d->size == size && !memcmp(d->raw, raw, size)) return d;
        }
    struct decoded *d = &cache[cache_at++ & (CACHE - 1)];
    d->raw = realloc(d->raw, size); memcpy(d->raw, raw, size); d->size = size;
    decode(d, v, raw + head, size - head, squeezed);
    return d;
}

static void reached(uint64_t seq, uint64_t at) {
    struct tick *t = &ticks[seq % TICKS];
    if (t->seq != seq) *t = (struct tick) {seq, 0, 0};
    t->last = at;
    if (++t->count == count && reached_count < TICKS) reached_all[reached_count++] = *t;
}

static void take(struct viewer *v, const unsigned char *raw, size_t head, size_t size, uint64_t at) {
    struct decoded *d = look_up(v, raw, head, size);
    bytes += size;
    if (!d->right) wrong++;
    if (d->kind == OTHER || d->channel < 0) { others++; return; }
    int c = d->channel;
    if (d->kind == SNAPSHOT) snapshots++;
    else {
        frames++;
        if ((v->have & 1u << c) && (d->after != v->seq[c] || d->epoch != v->epoch[c])) gaps++;
        if (d->seq != d->after + 1) merged++;
        if (c == 0) for (uint64_t s = d->after + 1; s <= d->seq; s++) reached(s, at);
    }
    v->seq[c] = d->seq; v->epoch[c] = d->epoch;
    unsigned before = v->have; v->have |= 1u << c;
    if (greeted && before != v->have && v->have == (1u << channels) - 1) ready++;
}

static int last_code;                 /* of the last close frame; 0 where a connection ended without one */

static void gone(struct viewer *v) { if (v->fd >= 0) close(v->fd); v->fd = -1; closed++; if (v->open) opened--; v->open = 0; }

static void frames_of(struct viewer *v, unsigned char *data, size_t size, uint64_t at) {
    size_t pos = 0;
    for (;;) {
        size_t left = size - pos, head = 2; if (left < 2) break;
        size_t payload = data[pos + 1] & 127;
        if (payload == 126) { if (left < 4) break; head = 4; payload = data[pos + 2] << 8 | data[pos + 3]; }
        else if (payload == 127) {
            if (left < 10) break;
            head = 10; payload = 0; for (int i = 2; i < 10; i++) payload = payload << 8 | data[pos + i];
        }
        if (left < head + payload) break;
        int opcode = data[pos] & 15;
        if (opcode == 1) take(v, data + pos, head, head + payload, at);
        else if (opcode == 9) send_masked(v, 10, (char *) data + pos + head, payload);
        else if (opcode == 8) { last_code = payload < 2 ? 0 : data[pos + head] << 8 | data[pos + head + 1]; gone(v); return; }
        pos += head + payload;
    }
    size_t rest = size - pos;
    if (rest) { unsigned char *kept = malloc(rest); memcpy(kept, data + pos, rest); free(v->rest); v->rest = kept; v->rest_size = rest; }
    else { free(v->rest); v->rest = NULL; v->rest_size = 0; }
}

static void subscribe(struct viewer *v) {
    char said[1024]; int at = sprintf(said, "{\"op\":\"subscribe\",\"channels\":{");
    for (int c = 0; c < channels; c++) at += sprintf(said + at, "%s\"%s\":null", c ? "," : "", names[c]);
    at += sprintf(said + at, "}}");
    send_masked(v, 1, said, at);
}

static size_t shake(struct viewer *v, unsigned char *data, size_t size) {
    unsigned char *end = memmem(data, size, "\r\n\r\n", 4);
    if (!end) return 0;
    if (memcmp(data + 9, "101", 3)) { fprintf(stderr, "viewers: refused: %.*s\n", (int) (end - data), data); exit(1); }
    int agreed = memmem(data, end - data, "permessage-deflate", 18) != NULL;
    if (deflate_on && !agreed) { fprintf(stderr, "viewers: no permessage-deflate\n"); exit(1); }
    keeps_window = agreed && !memmem(data, end - data, "server_no_context_takeover", 26);
    if (keeps_window) { v->inflater = calloc(1, sizeof *v->inflater); inflateInit2(v->inflater, -15); }
    v->open = 1; opened++;
    if (!greeted) ready++;
    subscribe(v);
    return end + 4 - data;
}

static void readable(struct viewer *v) {
    static unsigned char data[READ];
    if (v->rest_size) memcpy(data, v->rest, v->rest_size);
    ssize_t got = recv(v->fd, data + v->rest_size, READ - v->rest_size, 0);
    if (got <= 0) { if (got == 0 || errno != EAGAIN) gone(v); return; }
    uint64_t at = now_ns();
    size_t size = v->rest_size + got, used = 0;
    if (!v->open && !(used = shake(v, data, size))) used = 0;
    if (v->open) frames_of(v, data + used, size - used, at);
    else { free(v->rest); v->rest = malloc(size); memcpy(v->rest, data, size); v->rest_size = size; }
}

static void connect_one(struct viewer *v, int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if ((v->fd = socket(AF_INET, SOCK_STREAM, 0)) < 0) die("socket");
    if (connect(v->fd, (struct sockaddr *) &to, sizeof to) < 0) die("connect");
    int one = 1; setsockopt(v->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    char asked[512];
    int size = sprintf(asked, "GET /live?protocols=1 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n", port,
        deflate_on ? "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" : "");
    if (send(v->fd, asked, size, MSG_NOSIGNAL) != size) die("handshake");
    fcntl(v->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = v - viewers};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, v->fd, &event) < 0) die("epoll_ctl");
}

static void tell(void) {
    printf("{\"viewers\":%d,\"frames\":%lu,\"bytes\":%lu,\"gaps\":%lu,\"wrong\":%lu,\"merged\":%lu,\"snapshots\":%lu,"
        "\"others\":%lu,\"closed\":%lu,\"reached\":[", opened, frames, bytes, gaps, wrong, merged, snapshots, others, closed);
    for (int i = 0; i < reached_count; i++) printf("%s[%lu,%lu]", i ? "," : "", reached_all[i].seq, reached_all[i].last);
    printf("]}\n");
    fflush(stdout);
    frames = bytes = gaps = wrong = merged = snapshots = others = closed = 0; reached_count = 0;
}

int main(int argc, char **argv) {
    if (argc != 6) { fprintf(stderr, "usage: viewers PORT COUNT DEFLATE GREETED CHANNEL[,CHANNEL...]\n"); return 2; }
    int port = atoi(argv[1]); count = atoi(argv[2]); deflate_on = atoi(argv[3]); greeted = atoi(argv[4]);
    for (char *name = strtok(argv[5], ","); name && channels < CHANNELS; name = strtok(NULL, ",")) strncpy(names[channels++], name, 63);
    struct rlimit limit; getrlimit(RLIMIT_NOFILE, &limit); limit.rlim_cur = limit.rlim_max; setrlimit(RLIMIT_NOFILE, &limit);
    signal(SIGPIPE, SIG_IGN);
    inflateInit2(&shared_inflater, -15);
    viewers = calloc(count, sizeof *viewers);
    epoll_fd = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = UINT32_MAX}, events[512];
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, 0, &event);
    int started = 0, told = 0;
    for (;;) {
        while (started < count && started - opened < IN_FLIGHT && !closed) connect_one(&viewers[started++], port);
        if (closed && !told) { fprintf(stderr, "viewers: closed while opening, by code %d, when %d of %d were ready\n", last_code, ready, count); return 1; }
        if (!told && ready == count) { told = 1; printf("ready\n"); fflush(stdout); }
        int n = epoll_wait(epoll_fd, events, 512, 0);
        if (!n) {
            struct timespec moment = {0, NAP_NS};
            nanosleep(&moment, NULL);
        }
        for (int i = 0; i < n; i++) {
            if (events[i].data.u32 == UINT32_MAX) {
                char line[64]; ssize_t got = read(0, line, sizeof line);
                if (got <= 0) return 0;
                tell();
            } else if (viewers[events[i].data.u32].fd >= 0) readable(&viewers[events[i].data.u32]);
        }
    }
}
