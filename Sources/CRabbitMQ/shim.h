// What Swift cannot import of librabbitmq by itself: the two header layouts and the variadic login.
#ifndef SWCELERY_CRABBITMQ_SHIM_H
#define SWCELERY_CRABBITMQ_SHIM_H

#include <dlfcn.h>
#include <sys/time.h>

#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/framing.h>
#include <rabbitmq-c/ssl_socket.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#endif

/// SASL PLAIN; Swift does not see variadic functions.
static inline amqp_rpc_reply_t swc_login_plain(amqp_connection_state_t state, char const *virtual_host,
                                               int channel_max, int frame_max, int heartbeat,
                                               const amqp_table_t *client_properties, char const *user,
                                               char const *password) {
  return amqp_login_with_properties(state, virtual_host, channel_max, frame_max, heartbeat, client_properties,
                                    AMQP_SASL_METHOD_PLAIN, user, password);
}

/// SASL EXTERNAL: the identity is the client certificate's.
static inline amqp_rpc_reply_t swc_login_external(amqp_connection_state_t state, char const *virtual_host,
                                                  int channel_max, int frame_max, int heartbeat,
                                                  const amqp_table_t *client_properties, char const *identity) {
  return amqp_login_with_properties(state, virtual_host, channel_max, frame_max, heartbeat, client_properties,
                                    AMQP_SASL_METHOD_EXTERNAL, identity);
}

/// Sets the oldest and the newest version of TLS (0x0301 to 0x0304; 0 leaves it open), which librabbitmq before 0.13 can
/// do up to 1.2 only. Answers 1 on success. OpenSSL's function is looked up, as it came into the process with librabbitmq
/// and its headers may be missing.
static inline int swc_ssl_limit_versions(amqp_socket_t *socket, int oldest, int newest) {
  enum { SET_MIN_PROTO_VERSION = 123, SET_MAX_PROTO_VERSION = 124 };
  void *program = dlopen(0, RTLD_NOW);
  if (program == 0) return 0;
  long (*control)(void *, int, long, void *) = (long (*)(void *, int, long, void *))dlsym(program, "SSL_CTX_ctrl");
  void *context = amqp_ssl_socket_get_context(socket);
  int done = control != 0 && control(context, SET_MIN_PROTO_VERSION, oldest, 0) == 1 &&
             control(context, SET_MAX_PROTO_VERSION, newest, 0) == 1;
  dlclose(program);
  return done;
}

/// Sets the ciphers for TLS up to 1.2 in OpenSSL's notation. Answers 1 on success.
static inline int swc_ssl_set_ciphers(amqp_socket_t *socket, char const *ciphers) {
  void *program = dlopen(0, RTLD_NOW);
  if (program == 0) return 0;
  int (*set)(void *, char const *) = (int (*)(void *, char const *))dlsym(program, "SSL_CTX_set_cipher_list");
  int done = set != 0 && set(amqp_ssl_socket_get_context(socket), ciphers) == 1;
  dlclose(program);
  return done;
}

/// Lets a private key with a password be refused; OpenSSL would ask for the password on the terminal.
static inline void swc_ssl_never_ask(amqp_socket_t *socket) { amqp_ssl_socket_set_key_passwd(socket, ""); }

/// One frame if one is there, without waiting.
static inline int swc_next_frame(amqp_connection_state_t state, amqp_frame_t *frame) {
  struct timeval none = {0, 0};
  return amqp_simple_wait_frame_noblock(state, frame, &none);
}

#endif
