/* Answers GET /hello until its standard input ends. */
#include <signalbox.h>
#include <stdio.h>

static void on_hello(void* user, const sbx_http_request* request) {
  sbx_http_respond(user, request->ticket, 200, NULL, 0, "hello from C", 12);
}

int main(void) {
  sbx_engine* engine = NULL;
  sbx_config* config = sbx_config_new();
  int ok = sbx_config_set(config, "listen.port", "0") == SBX_OK &&
           sbx_config_set(config, "signaling.enabled", "false") == SBX_OK &&
           sbx_engine_create(config, NULL, &engine) == SBX_OK &&
           sbx_engine_mount(engine, "/hello", on_hello, engine) == SBX_OK &&
           sbx_engine_start(engine) == SBX_OK;
  sbx_config_free(config);
  if (ok) {
    printf("listening on port %u\n", (unsigned)sbx_engine_port(engine));
    fflush(stdout);
    while (getchar() != EOF) continue;
  } else {
    fprintf(stderr, "%s\n", sbx_last_error());
  }
  return sbx_engine_destroy(engine) == SBX_OK && ok ? 0 : 1;
}
