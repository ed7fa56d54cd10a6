#pragma once

// Requests to an ingest server: one connection, blocking, for one thread.

#include "gst/origin/gref.h"

#include <libsoup/soup.h>
#include <string>

namespace hull::origin {

struct PushReply {
  unsigned status = 0; ///< 0: no answer
  std::string why;
  bool good() const { return status >= 200 && status < 300; }
};

class PushClient {
 public:
  /// `url` ends with '/' and may carry user:password, sent as Basic authentication with every request, since
  /// a growing body cannot be sent again after a challenge.
  PushClient(const std::string &url, std::string method);
  ~PushClient();

  PushReply put(const std::string &name, const std::string &type, std::string_view body);
  /// Chunked, as `body` yields.
  PushReply put_growing(const std::string &name, const std::string &type, GInputStream *body);
  PushReply remove(const std::string &name);
  /// The next request opens a new connection, which looks the host's name up again (ING-11, ING-14).
  void reconnect();
  /// Ends the request that runs and all further ones. Any thread.
  void cancel() { g_cancellable_cancel(cancellable_.get()); }

 private:
  GRef<SoupMessage> message(const char *method, const std::string &name) const;
  PushReply send(SoupMessage *message);

  std::string url_, method_, authorization_;
  GRef<SoupSession> session_;
  GRef<GCancellable> cancellable_;
};

} // namespace hull::origin
