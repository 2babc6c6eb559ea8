/*
 * ZooKeeper's C client (multi-threaded) against a server: asynchronous calls, watches, multi, authentication.
 * Prints one JSON line per check. Usage: c_client host:port
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zookeeper/zookeeper.h>

#define TIMEOUT_S 20

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

/* What the callbacks have seen; guarded by the mutex. */
static int connected;
static int completions;
static int completions_expected;
static int last_code;
static char last_text[4096];
static struct Stat last_stat;
static int event_count;
static int last_event_type;
static char last_event_path[1024];

static void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(1);
}

static void passed(const char *check) {
  printf("{\"check\": \"%s\", \"ok\": true}\n", check);
  fflush(stdout);
}

static void expect_int(const char *what, long actual, long expected) {
  if (actual != expected) fail("%s: expected %ld, got %ld", what, expected, actual);
}

static void expect_text(const char *what, const char *actual, const char *expected) {
  if (strcmp(actual, expected) != 0) fail("%s: expected %s, got %s", what, expected, actual);
}

/* Waits until *counter has reached the goal. The mutex is held by the caller. */
static void wait_for(const char *what, int *counter, int goal) {
  struct timespec deadline;
  clock_gettime(CLOCK_REALTIME, &deadline);
  deadline.tv_sec += TIMEOUT_S;
  while (*counter < goal) {
    if (pthread_cond_timedwait(&changed, &mutex, &deadline) != 0) fail("%s: nothing happened in time", what);
  }
}

static void complete(int code, const char *text, const struct Stat *stat) {
  pthread_mutex_lock(&mutex);
  last_code = code;
  snprintf(last_text, sizeof last_text, "%s", text == NULL ? "" : text);
  if (stat != NULL) last_stat = *stat;
  completions++;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
}

static void on_string(int code, const char *value, const void *context) { complete(code, value, NULL); }
static void on_void(int code, const void *context) { complete(code, NULL, NULL); }
static void on_stat(int code, const struct Stat *stat, const void *context) { complete(code, NULL, stat); }

static void on_data(int code, const char *value, int length, const struct Stat *stat, const void *context) {
  char text[4096];
  if (length < 0) length = 0;
  memcpy(text, value == NULL ? "" : value, (size_t)length);
  text[length] = 0;
  complete(code, text, stat);
}

static void on_strings(int code, const struct String_vector *strings, const struct Stat *stat, const void *context) {
  char text[16];
  snprintf(text, sizeof text, "%d", strings == NULL ? -1 : strings->count);
  complete(code, text, stat);
}

static void on_acl(int code, struct ACL_vector *acl, struct Stat *stat, const void *context) {
  complete(code, acl != NULL && acl->count > 0 ? acl->data[0].id.scheme : NULL, stat);
}

static void on_session(zhandle_t *zh, int type, int state, const char *path, void *context) {
  pthread_mutex_lock(&mutex);
  if (type == ZOO_SESSION_EVENT && state == ZOO_CONNECTED_STATE) connected++;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
}

static void on_event(zhandle_t *zh, int type, int state, const char *path, void *context) {
  pthread_mutex_lock(&mutex);
  if (type != ZOO_SESSION_EVENT) {
    last_event_type = type;
    snprintf(last_event_path, sizeof last_event_path, "%s", path);
    event_count++;
  }
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
}

/* Waits for the completion of the one call that was just made. */
static void completed(const char *what, int submitted, int expected_code) {
  expect_int(what, submitted, ZOK);
  pthread_mutex_lock(&mutex);
  wait_for(what, &completions, ++completions_expected);
  expect_int(what, last_code, expected_code);
  pthread_mutex_unlock(&mutex);
}

static void fired(const char *what, int type, const char *path) {
  static int goal;
  pthread_mutex_lock(&mutex);
  wait_for(what, &event_count, ++goal);
  expect_int(what, last_event_type, type);
  expect_text(what, last_event_path, path);
  pthread_mutex_unlock(&mutex);
}

static zhandle_t *client(const char *host, const clientid_t *session) {
  pthread_mutex_lock(&mutex);
  int goal = connected + 1;
  pthread_mutex_unlock(&mutex);
  zhandle_t *zh = zookeeper_init(host, on_session, 10000, session, NULL, 0);
  if (zh == NULL) fail("zookeeper_init failed");
  pthread_mutex_lock(&mutex);
  wait_for("connect", &connected, goal);
  pthread_mutex_unlock(&mutex);
  return zh;
}

static void check_async(zhandle_t *zh) {
  completed("create", zoo_acreate(zh, "/c", "one", 3, &ZOO_OPEN_ACL_UNSAFE, 0, on_string, NULL), ZOK);
  expect_text("create", last_text, "/c");
  completed("create again", zoo_acreate(zh, "/c", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, on_string, NULL), ZNODEEXISTS);
  completed("create sequential",
            zoo_acreate(zh, "/c/s-", NULL, -1, &ZOO_OPEN_ACL_UNSAFE, ZOO_SEQUENCE | ZOO_EPHEMERAL, on_string, NULL), ZOK);
  expect_text("create sequential", last_text, "/c/s-0000000000");
  completed("get", zoo_aget(zh, "/c", 0, on_data, NULL), ZOK);
  expect_text("get", last_text, "one");
  expect_int("children", last_stat.numChildren, 1);
  completed("set", zoo_aset(zh, "/c", "two", 3, 0, on_stat, NULL), ZOK);
  expect_int("version", last_stat.version, 1);
  completed("set with a wrong version", zoo_aset(zh, "/c", "x", 1, 0, on_stat, NULL), ZBADVERSION);
  completed("exists", zoo_aexists(zh, "/absent", 0, on_stat, NULL), ZNONODE);
  completed("children", zoo_aget_children2(zh, "/c", 0, on_strings, NULL), ZOK);
  expect_text("children", last_text, "1");
  completed("sync", zoo_async(zh, "/c", on_string, NULL), ZOK);
  expect_text("sync", last_text, "/c");
  completed("delete", zoo_adelete(zh, "/c/s-0000000000", -1, on_void, NULL), ZOK);
  passed("async");
}

static void check_pipeline(zhandle_t *zh) {
  enum { COUNT = 500 };
  char path[64];
  for (int i = 0; i < COUNT; i++) {
    snprintf(path, sizeof path, "/c/n%d", i);
    expect_int("submit", zoo_acreate(zh, path, "x", 1, &ZOO_OPEN_ACL_UNSAFE, 0, on_string, NULL), ZOK);
  }
  pthread_mutex_lock(&mutex);
  completions_expected += COUNT;
  wait_for("pipeline", &completions, completions_expected);
  pthread_mutex_unlock(&mutex);
  struct String_vector children;
  expect_int("children", zoo_get_children(zh, "/c", 0, &children), ZOK);
  expect_int("children", children.count, COUNT);
  deallocate_String_vector(&children);
  for (int i = 0; i < COUNT; i++) {
    snprintf(path, sizeof path, "/c/n%d", i);
    expect_int("delete", zoo_delete(zh, path, 0), ZOK);
  }
  passed("pipeline");
}

static void check_multi(zhandle_t *zh) {
  char path[64];
  struct Stat stat;
  zoo_op_t ops[4];
  zoo_op_result_t results[4];
  zoo_create_op_init(&ops[0], "/c/m-", "1", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_SEQUENCE, path, sizeof path);
  zoo_set_op_init(&ops[1], "/c", "three", 5, 1, &stat);
  zoo_check_op_init(&ops[2], "/c", 2);
  zoo_delete_op_init(&ops[3], "/c/absent", -1);
  expect_int("multi that fails", zoo_multi(zh, 4, ops, results), ZNONODE);
  expect_int("first result", results[0].err, ZOK);
  expect_int("last result", results[3].err, ZNONODE);
  expect_int("multi", zoo_multi(zh, 3, ops, results), ZOK);
  expect_text("multi", path, "/c/m-0000000501");
  expect_int("multi", stat.version, 2);
  passed("multi");
}

static void check_watches(zhandle_t *zh, zhandle_t *other) {
  struct Stat stat;
  struct String_vector children;
  char data[64];
  int length = sizeof data;
  expect_int("wexists", zoo_wexists(zh, "/w", on_event, NULL, &stat), ZNONODE);
  expect_int("create", zoo_create(other, "/w", "1", 1, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0), ZOK);
  fired("created", ZOO_CREATED_EVENT, "/w");
  expect_int("wget", zoo_wget(zh, "/w", on_event, NULL, data, &length, &stat), ZOK);
  expect_int("set", zoo_set(other, "/w", "2", 1, -1), ZOK);
  fired("changed", ZOO_CHANGED_EVENT, "/w");
  expect_int("wget_children", zoo_wget_children(zh, "/w", on_event, NULL, &children), ZOK);
  deallocate_String_vector(&children);
  expect_int("create", zoo_create(other, "/w/a", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0), ZOK);
  fired("child", ZOO_CHILD_EVENT, "/w");
  length = sizeof data;
  expect_int("wget", zoo_wget(zh, "/w/a", on_event, NULL, data, &length, &stat), ZOK);
  expect_int("remove watch", zoo_remove_watches(zh, "/w/a", ZWATCHTYPE_DATA, on_event, NULL, 0), ZOK);
  expect_int("set", zoo_set(other, "/w/a", "2", 1, -1), ZOK);
  length = sizeof data;
  expect_int("wget", zoo_wget(zh, "/w/a", on_event, NULL, data, &length, &stat), ZOK);
  expect_int("delete", zoo_delete(other, "/w/a", -1), ZOK);
  fired("deleted, and nothing before", ZOO_DELETED_EVENT, "/w/a");
  passed("watches");
}

static void check_acl(zhandle_t *zh, zhandle_t *other) {
  char data[64];
  int length = sizeof data;
  completed("auth", zoo_add_auth(zh, "digest", "c:secret", 8, on_void, NULL), ZOK);
  expect_int("create", zoo_create(zh, "/mine", "x", 1, &ZOO_CREATOR_ALL_ACL, 0, NULL, 0), ZOK);
  expect_int("get", zoo_get(other, "/mine", 0, data, &length, NULL), ZNOAUTH);
  length = sizeof data;
  expect_int("get", zoo_get(zh, "/mine", 0, data, &length, NULL), ZOK);
  completed("getACL", zoo_aget_acl(zh, "/mine", on_acl, NULL), ZOK);
  expect_text("getACL", last_text, "digest");
  expect_int("setACL", zoo_set_acl(zh, "/mine", 0, &ZOO_OPEN_ACL_UNSAFE), ZOK);
  length = sizeof data;
  expect_int("get", zoo_get(other, "/mine", 0, data, &length, NULL), ZOK);
  passed("acl");
}

static void check_ttl_and_container(zhandle_t *zh) {
  char path[64];
  struct Stat stat;
  expect_int("ttl",
             zoo_create2_ttl(zh, "/ttl", "x", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT_WITH_TTL, 600000, path,
                             sizeof path, &stat), ZOK);
  expect_int("container",
             zoo_create2(zh, "/container", "x", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_CONTAINER, path, sizeof path, &stat), ZOK);
  expect_int("owner", (long)stat.ephemeralOwner, 0);
  passed("ttl and container");
}

/* Leaves a session with an ephemeral and ends without closing it; what is printed is all that is left of it. */
static void leave_session(const char *host) {
  zhandle_t *zh = client(host, NULL);
  expect_int("create", zoo_create(zh, "/brief", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, NULL, 0), ZOK);
  fwrite(zoo_client_id(zh), sizeof(clientid_t), 1, stdout);
  fflush(stdout);
  _exit(0);
}

static void check_session(const char *program, const char *host, zhandle_t *zh) {
  struct Stat stat;
  char command[2048];
  clientid_t session;
  /* In a process of its own: a handle whose session was taken over would take it back at once. */
  snprintf(command, sizeof command, "'%s' '%s' leave-session", program, host);
  FILE *output = popen(command, "r");
  if (output == NULL || fread(&session, sizeof session, 1, output) != 1) fail("no session was left");
  expect_int("leave-session", pclose(output), 0);
  expect_int("exists", zoo_wexists(zh, "/brief", on_event, NULL, &stat), ZOK);
  expect_int("owner", (long)(stat.ephemeralOwner - session.client_id), 0);
  zhandle_t *resumed = client(host, &session);
  expect_int("same session", (long)(zoo_client_id(resumed)->client_id - session.client_id), 0);
  expect_int("close", zookeeper_close(resumed), ZOK);
  /* zookeeper_close does not wait for the answer: another session hears of it by its watch. */
  fired("deleted", ZOO_DELETED_EVENT, "/brief");
  passed("session");
}

int main(int count, char **arguments) {
  if (count < 2) fail("usage: c_client host:port");
  zoo_set_debug_level(ZOO_LOG_LEVEL_ERROR);
  if (count > 2) leave_session(arguments[1]);
  zhandle_t *zh = client(arguments[1], NULL);
  zhandle_t *other = client(arguments[1], NULL);
  check_async(zh);
  check_pipeline(zh);
  check_multi(zh);
  check_watches(zh, other);
  check_acl(zh, other);
  check_ttl_and_container(zh);
  check_session(arguments[0], arguments[1], zh);
  zookeeper_close(other);
  zookeeper_close(zh);
  return 0;
}
