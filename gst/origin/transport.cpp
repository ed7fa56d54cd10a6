#include "gst/origin/transport.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/socket.h>
#include <sys/uio.h>

namespace hull::origin {
namespace {

constexpr std::size_t kPiecesPerWrite = 64;

Transport::Moved moved(ssize_t count) {
  if (count > 0) return {Transport::Status::good, static_cast<std::size_t>(count)};
  return {count < 0 && errno == EAGAIN ? Transport::Status::later : Transport::Status::ended, 0};
}

} // namespace

Transport::Moved Transport::read(std::span<char> out) {
  return moved(uninterrupted([&] { return recv(fd(), out.data(), out.size(), 0); }));
}

Transport::Moved Transport::write(std::span<const BodySlice> slices) {
  iovec vectors[kPiecesPerWrite];
  const std::size_t count = std::min(kPiecesPerWrite, slices.size());
  for (std::size_t i = 0; i < count; ++i)
    vectors[i] = {const_cast<char *>(slices[i].bytes.data()), slices[i].bytes.size()};
  msghdr message{};
  message.msg_iov = vectors;
  message.msg_iovlen = count;
  return moved(uninterrupted([&] { return sendmsg(fd(), &message, MSG_NOSIGNAL); }));
}

void Transport::say_end() {
  shutdown(fd(), SHUT_WR);
}

Transport::Moved Transport::discard() {
  std::array<char, 8 * 1024> nowhere;
  return moved(uninterrupted([&] { return recv(fd(), nowhere.data(), nowhere.size(), 0); }));
}

void Wire::add(BodySlice slice) {
  if (slice.bytes.empty()) return;
  if (queued_ == 0) pace_.begin();
  queued_ += slice.bytes.size();
  out_.push_back(std::move(slice));
}

void Wire::write() {
  while (first_ < out_.size() && !broken_ && !full_) {
    const auto [status, bytes] = transport_->write(std::span(out_).subspan(first_));
    if (status == Transport::Status::ended) return cut();
    if (status == Transport::Status::later) full_ = true;
    if (status == Transport::Status::good) take_off(bytes);
  }
  if (first_ < out_.size()) return;
  out_.clear();
  first_ = 0;
}

void Wire::take_off(std::size_t count) {
  pace_.take(count);
  sent_ += count;
  queued_ -= count;
  while (count > 0) {
    BodySlice &slice = out_[first_];
    const std::size_t part = std::min(count, slice.bytes.size());
    slice.bytes.remove_prefix(part);
    count -= part;
    if (!slice.bytes.empty()) continue;
    slice.owner.reset();
    ++first_;
  }
}

} // namespace hull::origin
