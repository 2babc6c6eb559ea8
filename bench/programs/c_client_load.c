/* The C client (libzookeeper_mt) reading one znode: `c_client_load host:port path depth seconds`.
   depth 0 is one zoo_get after the other; else so many zoo_aget are kept under way. Prints reads and microseconds. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zookeeper/zookeeper.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int connected, under_way;
static long answered;
static double until;
static const char *path;
static zhandle_t *handle;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void watch(zhandle_t *zh, int type, int state, const char *p, void *context) {
  (void)zh, (void)type, (void)p, (void)context;
  pthread_mutex_lock(&lock);
  connected = state == ZOO_CONNECTED_STATE;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

static void got(int rc, const char *value, int length, const struct Stat *stat, const void *data) {
  (void)value, (void)length, (void)stat, (void)data;
  if (rc != ZOK) exit(3);
  answered++;
  if (now() < until && zoo_aget(handle, path, 0, got, NULL) == ZOK) return;
  pthread_mutex_lock(&lock);
  under_way--;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

static double run(int depth, double seconds) {
  char buffer[1024];
  double begin = now();
  until = begin + seconds;
  answered = 0;
  if (depth == 0) {
    while (now() < until) {
      int length = sizeof buffer;
      if (zoo_get(handle, path, 0, buffer, &length, NULL) != ZOK) exit(3);
      answered++;
    }
    return now() - begin;
  }
  under_way = depth;
  for (int i = 0; i < depth; i++) zoo_aget(handle, path, 0, got, NULL);
  pthread_mutex_lock(&lock);
  while (under_way > 0) pthread_cond_wait(&changed, &lock);
  pthread_mutex_unlock(&lock);
  return now() - begin;
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  zoo_set_debug_level(ZOO_LOG_LEVEL_ERROR);
  path = argv[2];
  int depth = atoi(argv[3]);
  double seconds = atof(argv[4]);
  handle = zookeeper_init(argv[1], watch, 30000, NULL, NULL, 0);
  if (handle == NULL) return 1;
  pthread_mutex_lock(&lock);
  while (!connected) pthread_cond_wait(&changed, &lock);
  pthread_mutex_unlock(&lock);
  run(depth, seconds / 4);
  double elapsed = run(depth, seconds);
  printf("{\"reads\":%ld,\"microseconds\":%.0f}\n", answered, elapsed * 1e6);
  zookeeper_close(handle);
  return 0;
}
