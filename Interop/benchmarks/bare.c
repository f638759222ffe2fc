/*
 * The yardstick: what librabbitmq itself needs for a worker's traffic, without a worker.
 *
 *   bare publish URI QUEUE COUNT REPLY_QUEUE|-          declares QUEUE, publishes COUNT Celery messages `demo.add(2, 3)`, window of 1000 confirms
 *   bare consume URI QUEUE COUNT PREFETCH [confirm]     consumes COUNT, answers those that have a reply_to with a Celery result, acks each
 *
 * One line of JSON on stdout: messages, wall seconds and CPU seconds (getrusage) between the first and the last, PSS in KiB.
 */
#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp.h>
#include <amqp_tcp_socket.h>
#endif
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { CHANNEL = 1, WINDOW = 1000 };

static const char task_body[] = "[[2, 3], {}, {\"callbacks\": null, \"errbacks\": null, \"chain\": null, \"chord\": null}]";

static void die(const char *what) {
    fprintf(stderr, "bare: %s\n", what);
    exit(1);
}

static void check(amqp_rpc_reply_t reply, const char *what) {
    if (reply.reply_type != AMQP_RESPONSE_NORMAL) die(what);
}

static amqp_bytes_t text(const char *string) {
    return amqp_cstring_bytes(string);
}

static void random_uuid(char out[37]) {
    static uint64_t state;
    static const char digits[] = "0123456789abcdef";
    if (state == 0) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        state = (uint64_t)now.tv_nsec * 0x9e3779b97f4a7c15u ^ (uint64_t)now.tv_sec;
    }
    for (int i = 0; i < 36; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out[i] = i == 8 || i == 13 || i == 18 || i == 23 ? '-' : digits[state >> 60];
    }
    out[36] = 0;
}

/* ---- measuring ---- */

typedef struct {
    double wall, cpu;
} sample_t;

static sample_t sample(void) {
    struct timespec now;
    struct rusage usage;
    clock_gettime(CLOCK_MONOTONIC, &now);
    getrusage(RUSAGE_SELF, &usage);
    return (sample_t){
        .wall = (double)now.tv_sec + (double)now.tv_nsec / 1e9,
        .cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
    };
}

static long pss_kib(void) {
    char line[256];
    long kib = 0;
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "Pss: %ld", &kib) == 1) break;
    }
    if (file) fclose(file);
    return kib;
}

static void report(long messages, sample_t from, sample_t to) {
    printf("{\"messages\": %ld, \"seconds\": %.6f, \"cpu\": %.6f, \"pss\": %ld}\n", messages, to.wall - from.wall,
           to.cpu - from.cpu, pss_kib());
}

/* ---- connection ---- */

static amqp_connection_state_t open_connection(char *uri) {
    struct amqp_connection_info info;
    amqp_connection_state_t connection = amqp_new_connection();
    amqp_socket_t *socket = amqp_tcp_socket_new(connection);
    size_t length = strlen(uri);
    /* kombu writes the default vhost as "//", librabbitmq wants it percent-encoded */
    char *own = malloc(length + 4);
    if (!own || !socket) die("out of memory");
    strcpy(own, uri);
    if (length > 2 && strcmp(uri + length - 2, "//") == 0) strcpy(own + length - 1, "%2f");
    if (amqp_parse_url(own, &info) != AMQP_STATUS_OK || info.ssl) die("an amqp:// URI is needed");
    if (amqp_socket_open(socket, info.host, info.port) != AMQP_STATUS_OK) die("cannot connect");
    check(amqp_login(connection, info.vhost, 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, info.user, info.password), "login");
    amqp_channel_open(connection, CHANNEL);
    check(amqp_get_rpc_reply(connection), "channel.open");
    free(own);
    return connection;
}

static void select_confirms(amqp_connection_state_t connection) {
    amqp_confirm_select(connection, CHANNEL);
    check(amqp_get_rpc_reply(connection), "confirm.select");
}

/* Celery's declaration of a queue of its default exchange type: durable, nothing else. */
static void declare(amqp_connection_state_t connection, const char *queue) {
    amqp_queue_declare(connection, CHANNEL, text(queue), 0, 1, 0, 0, amqp_empty_table);
    check(amqp_get_rpc_reply(connection), "queue.declare");
}

/* confirmed tells how many publishes an acknowledgement settles, given how many were settled before. */
static long confirmed(const amqp_basic_ack_t *ack, long before) {
    return ack->multiple ? (long)ack->delivery_tag - before : 1;
}

/* ---- publish ---- */

static amqp_table_entry_t *next_entry(amqp_table_t *table, const char *key, int kind) {
    amqp_table_entry_t *entry = &table->entries[table->num_entries++];
    memset(entry, 0, sizeof *entry);
    entry->key = text(key);
    entry->value.kind = (uint8_t)kind;
    return entry;
}

static void put_text(amqp_table_t *table, const char *key, const char *value) {
    next_entry(table, key, AMQP_FIELD_KIND_UTF8)->value.value.bytes = text(value);
}

static void put_null(amqp_table_t *table, const char *key) {
    next_entry(table, key, AMQP_FIELD_KIND_VOID);
}

static void put_number(amqp_table_t *table, const char *key, int32_t value) {
    next_entry(table, key, AMQP_FIELD_KIND_I32)->value.value.i32 = value;
}

/* The headers that a Python client sends, in its order. `id` is shared, not copied. */
static void task_headers(amqp_table_t *table, const char *id, int ignore_result) {
    static amqp_field_value_t no_limits[2] = {{.kind = AMQP_FIELD_KIND_VOID}, {.kind = AMQP_FIELD_KIND_VOID}};
    table->num_entries = 0;
    put_text(table, "lang", "py");
    put_text(table, "task", "demo.add");
    put_text(table, "id", id);
    put_null(table, "shadow");
    put_null(table, "eta");
    put_null(table, "expires");
    put_null(table, "group");
    put_null(table, "group_index");
    put_number(table, "retries", 0);
    amqp_table_entry_t *limits = next_entry(table, "timelimit", AMQP_FIELD_KIND_ARRAY);
    limits->value.value.array = (amqp_array_t){.num_entries = 2, .entries = no_limits};
    put_text(table, "root_id", id);
    put_null(table, "parent_id");
    put_text(table, "argsrepr", "(2, 3)");
    put_text(table, "kwargsrepr", "{}");
    put_text(table, "origin", "bare@localhost");
    next_entry(table, "ignore_result", AMQP_FIELD_KIND_BOOLEAN)->value.value.boolean = ignore_result;
    put_number(table, "replaced_task_nesting", 0);
    put_null(table, "stamped_headers");
    next_entry(table, "stamps", AMQP_FIELD_KIND_TABLE)->value.value.table = amqp_empty_table;
}

static void await_confirms(amqp_connection_state_t connection, long *settled, long wanted) {
    while (*settled < wanted) {
        amqp_frame_t frame;
        if (amqp_simple_wait_frame(connection, &frame) != AMQP_STATUS_OK) die("connection lost");
        if (frame.frame_type != AMQP_FRAME_METHOD || frame.payload.method.id != AMQP_BASIC_ACK_METHOD) {
            die("something else than a confirm");
        }
        *settled += confirmed(frame.payload.method.decoded, *settled);
        amqp_maybe_release_buffers(connection);
    }
}

static void publish(amqp_connection_state_t connection, const char *queue, long count, const char *reply_queue) {
    amqp_table_entry_t entries[24];
    amqp_basic_properties_t properties = {0};
    char id[37];
    long settled = 0;
    declare(connection, queue);
    select_confirms(connection);
    properties._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_CONTENT_ENCODING_FLAG | AMQP_BASIC_HEADERS_FLAG |
                        AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_PRIORITY_FLAG | AMQP_BASIC_CORRELATION_ID_FLAG;
    properties.content_type = text("application/json");
    properties.content_encoding = text("utf-8");
    properties.delivery_mode = 2;
    properties.headers.entries = entries;
    properties.correlation_id = (amqp_bytes_t){.len = 36, .bytes = id};
    if (reply_queue) {
        properties._flags |= AMQP_BASIC_REPLY_TO_FLAG;
        properties.reply_to = text(reply_queue);
        declare(connection, reply_queue);
    }
    sample_t start = sample();
    for (long sent = 1; sent <= count; sent++) {
        random_uuid(id);
        task_headers(&properties.headers, id, reply_queue == NULL);
        if (amqp_basic_publish(connection, CHANNEL, amqp_empty_bytes, text(queue), 0, 0, &properties, text(task_body)) != AMQP_STATUS_OK) {
            die("publish");
        }
        if (sent % WINDOW == 0) await_confirms(connection, &settled, sent - WINDOW / 2);
    }
    await_confirms(connection, &settled, count);
    report(count, start, sample());
}

/* ---- consume ---- */

static void answer(amqp_connection_state_t connection, const amqp_basic_properties_t *task) {
    amqp_basic_properties_t properties = {0};
    char body[256];
    int length = snprintf(body, sizeof body,
                          "{\"status\": \"SUCCESS\", \"result\": 5, \"traceback\": null, \"children\": [], \"date_done\": "
                          "\"2026-01-01T00:00:00.000001+00:00\", \"task_id\": \"%.*s\"}",
                          (int)task->correlation_id.len, (const char *)task->correlation_id.bytes);
    properties._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_CONTENT_ENCODING_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG |
                        AMQP_BASIC_PRIORITY_FLAG | AMQP_BASIC_CORRELATION_ID_FLAG | AMQP_BASIC_HEADERS_FLAG;
    properties.content_type = text("application/json");
    properties.content_encoding = text("utf-8");
    properties.delivery_mode = 1;
    properties.correlation_id = task->correlation_id;
    amqp_bytes_t content = {.len = (size_t)length, .bytes = body};
    if (amqp_basic_publish(connection, CHANNEL, amqp_empty_bytes, task->reply_to, 0, 0, &properties, content) != AMQP_STATUS_OK) {
        die("publish");
    }
}

/* Reads what is not a delivery: with confirms, the acknowledgements of our results. */
static void other_frame(amqp_connection_state_t connection, long *settled) {
    amqp_frame_t frame;
    if (amqp_simple_wait_frame(connection, &frame) != AMQP_STATUS_OK) die("connection lost");
    if (frame.frame_type != AMQP_FRAME_METHOD || frame.payload.method.id != AMQP_BASIC_ACK_METHOD) die("consuming ended");
    *settled += confirmed(frame.payload.method.decoded, *settled);
}

static void consume(amqp_connection_state_t connection, const char *queue, long count, int prefetch, int confirm) {
    long settled = 0, answered = 0;
    sample_t start = {0};
    if (confirm) select_confirms(connection);
    amqp_basic_qos(connection, CHANNEL, 0, (uint16_t)prefetch, 0);
    check(amqp_get_rpc_reply(connection), "basic.qos");
    amqp_basic_consume(connection, CHANNEL, text(queue), amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
    check(amqp_get_rpc_reply(connection), "basic.consume");
    for (long done = 0; done < count;) {
        amqp_envelope_t envelope;
        amqp_maybe_release_buffers(connection);
        amqp_rpc_reply_t reply = amqp_consume_message(connection, &envelope, NULL, 0);
        if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION && reply.library_error == AMQP_STATUS_UNEXPECTED_STATE) {
            other_frame(connection, &settled);
            continue;
        }
        check(reply, "consume");
        if (done++ == 0) start = sample();
        if (envelope.message.properties._flags & AMQP_BASIC_REPLY_TO_FLAG) {
            answer(connection, &envelope.message.properties);
            answered++;
        }
        if (amqp_basic_ack(connection, CHANNEL, envelope.delivery_tag, 0) != AMQP_STATUS_OK) die("ack");
        amqp_destroy_envelope(&envelope);
    }
    while (confirm && settled < answered) other_frame(connection, &settled);
    report(count, start, sample());
}

int main(int argc, char **argv) {
    if (argc == 6 && strcmp(argv[1], "publish") == 0) {
        publish(open_connection(argv[2]), argv[3], atol(argv[4]), strcmp(argv[5], "-") == 0 ? NULL : argv[5]);
    } else if ((argc == 6 || argc == 7) && strcmp(argv[1], "consume") == 0) {
        consume(open_connection(argv[2]), argv[3], atol(argv[4]), atoi(argv[5]), argc == 7);
    } else {
        fputs("usage: bare publish URI QUEUE COUNT REPLY_QUEUE|-\n       bare consume URI QUEUE COUNT PREFETCH [confirm]\n", stderr);
        return 64;
    }
    return 0;
}
