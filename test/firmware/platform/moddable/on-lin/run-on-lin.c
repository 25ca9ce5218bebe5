/*
 * Runs what `mcconfig -m -p lin -t build` made without the SDK's graphical simulator: loads mc.so, launches its machine
 * and runs the main loop that its timers and sockets live on. docs/sdk.md says how to build and use it.
 *
 *     run-on-lin PATH/mc.so
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define mxLinux 1
#include "screen.h" /* of the SDK, build/simulators/modules */

static guint gIdle;

static void onAbort(txScreen* screen, int status) {
  (void)screen;
  fprintf(stderr, "aborted with status %d\n", status);
  exit(70);
}

static void onNothing(txScreen* screen) { (void)screen; }

static gboolean onIdle(gpointer screen) {
  if (((txScreen*)screen)->idle) (*((txScreen*)screen)->idle)(screen);
  return G_SOURCE_CONTINUE;
}

static void onStart(txScreen* screen, double interval) {
  (void)interval;
  screen->flags |= mxScreenIdling;
  if (!gIdle) gIdle = g_timeout_add(50, onIdle, screen);
}

static void onStop(txScreen* screen) { screen->flags &= ~mxScreenIdling; }

int main(int count, char** words) {
  void* library = count == 2 ? dlopen(words[1], RTLD_NOW | RTLD_LOCAL) : NULL;
  txScreenLaunchProc launch = library ? (txScreenLaunchProc)dlsym(library, "fxScreenLaunch") : NULL;
  txScreen* screen = calloc(1, sizeof(txScreen));

  if (!launch || !screen) {
    fprintf(stderr, "run-on-lin PATH/mc.so: %s\n", count == 2 ? dlerror() : "one path, please");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN); /* the SDK writes to sockets that the other side may have closed */
  setvbuf(stdout, NULL, _IOLBF, 0);
  screen->abort = onAbort;
  screen->bufferChanged = onNothing;
  screen->formatChanged = onNothing;
  screen->start = onStart;
  screen->stop = onStop;
  (*launch)(screen);
  g_main_loop_run(g_main_loop_new(NULL, FALSE));
  return 0;
}
