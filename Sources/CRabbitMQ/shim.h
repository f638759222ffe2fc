// What Swift cannot import of librabbitmq by itself: the two header layouts and the variadic login.
#ifndef SWCELERY_CRABBITMQ_SHIM_H
#define SWCELERY_CRABBITMQ_SHIM_H

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

/// One frame if one is there, without waiting.
static inline int swc_next_frame(amqp_connection_state_t state, amqp_frame_t *frame) {
  struct timeval none = {0, 0};
  return amqp_simple_wait_frame_noblock(state, frame, &none);
}

#endif
