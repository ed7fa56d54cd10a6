#pragma once

// Boxes of ISO/IEC 14496-12.
//
// HOWTO add a box: declare it in the boxes_*.h its clause belongs to,
//
//   struct TrackFragmentDecodeTime : FullBox {          // 8.8.12, in traf
//     static constexpr FourCC kType{"tfdt"};
//     TrackFragmentDecodeTime() : FullBox(kType) {}
//     std::uint64_t base_media_decode_time = 0;
//     void fields(Fields &f) override;
//   };
//
// write fields() in the .cpp beside it (a FullBox begins with FullBox::fields(f)), and add one line to
// box_registry.cpp. Reading, writing, `atoms ls|cat|set`, the round-trip test and the fuzzer follow from
// that. A box with children says has_children(); its fields() covers only what stands before them.

#include "gst/core/fields.h"
#include "gst/isobmff/boxes/fourcc.h"

#include <array>
#include <concepts>
#include <functional>
#include <memory>

namespace hull::isobmff {

using Uuid = std::array<std::uint8_t, 16>;

/// A box's payload without its header and children. The default copies of boxes are deep.
struct Box {
  explicit Box(FourCC box_type) : type(box_type) {}
  Box(const Box &) = default;
  Box &operator=(const Box &) = default;
  virtual ~Box() = default;

  virtual void fields(Fields &f) = 0;
  virtual bool has_children() const { return false; }
  /// For boxes that count their children (stsd, dref): called before writing.
  virtual void set_child_count(std::uint32_t) {}
  /// What such a box says it counts; ~0 where the box doesn't count.
  virtual std::uint64_t child_count() const { return ~std::uint64_t{0}; }

  FourCC type;
};

struct FullBox : Box {
  explicit FullBox(FourCC box_type, std::uint8_t v = 0, std::uint32_t fl = 0)
      : Box(box_type), version(v), flags(fl) {}
  void fields(Fields &f) override {
    f.u("version", 8, version);
    f.u("flags", 24, flags);
  }
  std::uint8_t version = 0;
  std::uint32_t flags = 0; ///< 24 bits
};

/// A text that ends with its box and has no zero byte of its own.
void rest_text(Fields &f, const char *name, std::string &text);

/// A box that is only a frame around others: moov, trak, mdia …
struct Container : Box {
  explicit Container(FourCC box_type) : Box(box_type) {}
  void fields(Fields &) override {}
  bool has_children() const override { return true; }
};

/// A box whose content is not known here, or is broken; kept byte for byte.
struct Opaque : Box {
  explicit Opaque(FourCC box_type, ByteVector bytes = {}) : Box(box_type), data(std::move(bytes)) {}
  void fields(Fields &f) override { f.rest("data", data); }
  ByteVector data;
};

/// A payload that stays in the file it was found in: mdat, and unknown boxes too large to load.
struct Stored : Box {
  explicit Stored(FourCC box_type, std::uint64_t at = 0, std::uint64_t n = 0)
      : Box(box_type), offset(at), size(n) {}
  void fields(Fields &) override {}
  std::uint64_t offset = 0; ///< of the payload's first byte in its source
  std::uint64_t size = 0;
};

/// Takes the bytes of something that is written in pieces.
using Sink = std::function<Result<void>(Bytes)>;

/// A payload that is made while it is written: tables too long to be held twice. Whatever `write` refers to
/// must outlive the box.
struct Generated : Box {
  Generated(FourCC box_type, std::uint64_t n, std::function<Result<void>(const Sink &)> maker)
      : Box(box_type), size(n), write(std::move(maker)) {}
  void fields(Fields &) override {}
  std::uint64_t size; ///< of what `write` gives, in bytes
  std::function<Result<void>(const Sink &)> write;
};

/// Where a box starts and ends, as its first 8 to 32 bytes say it.
struct BoxHeader {
  FourCC type;
  Uuid uuid{};              ///< of a uuid box
  std::uint64_t size = 0;   ///< with the header; a size to the end is resolved to bytes
  unsigned header_size = 8; ///< 8, +8 for a 64-bit size, +16 for a uuid
  bool large_size = false;  ///< the size has 64 bits, whether it needs them or not
  bool to_end = false;      ///< the size was written as 0
  std::uint64_t payload_size() const { return size - header_size; }
};

/// Reads a header from the first bytes of a box (32 are always enough). `available` is how many bytes stand
/// from the box's start to the end of its parent or file: a size that goes past it, or that is too small for
/// its own header, is bad_data with offset 0.
Result<BoxHeader> read_box_header(Bytes bytes, std::uint64_t available);

/// Appends the header of a box with `payload_size` bytes of content; 64-bit size when it must or shall be.
void append_box_header(ByteVector &out, FourCC type, std::uint64_t payload_size, bool large_size = false,
                       const Uuid *uuid = nullptr);

/// Reads the fields of `box` from its payload. Bytes past the fields are left to the caller: returned is how
/// many bytes the fields took. Errors have their offset counted from the payload's start.
Result<std::uint64_t> read_payload(Box &box, Bytes payload);

/// The bytes of the fields of `box`. Fails with `settings` when a value does not fit its field. A FullBox of
/// version 0 whose values need the wide fields of version 1 is made version 1.
Result<ByteVector> write_payload(Box &box);

/// One box without children, with its header. Fails as write_payload.
Result<ByteVector> write_box(Box &box);
inline Result<ByteVector> write_box(Box &&box) {
  return write_box(box);
}

/// Reads one box of type T, header included, that must fill `bytes` exactly or be followed by others. The
/// offset of an error counts from the first byte of the header.
template <std::derived_from<Box> T> Result<T> read_box(Bytes bytes) {
  T box;
  auto header = read_box_header(bytes, bytes.size());
  if (!header) return tl::unexpected(header.error());
  if (header->type != box.type)
    return fail(ErrorCode::bad_data, "expected a " + box.type.text() + " box, found " + header->type.text(),
                4);
  auto used = read_payload(box, bytes.subspan(header->header_size, header->payload_size()));
  if (!used) {
    used.error().offset += header->header_size;
    return tl::unexpected(used.error());
  }
  return box;
}

/// A payload of the right type for a box found in `parent` (0 at the top of a file), or nullptr when the type
/// is not known there. `payload` may be its first bytes: they tell QuickTime's meta from ISO's.
/// Of a uuid box `uuid` tells what it is.
std::unique_ptr<Box> make_box(FourCC type, FourCC parent, Bytes payload = {}, const Uuid *uuid = nullptr);

/// Every registered box once, with the parent it is registered under (0 = any): input of tests and fuzzers.
struct Registered {
  FourCC type;
  FourCC parent;
  Uuid uuid; ///< of a uuid box
};
std::vector<Registered> registered_boxes();

} // namespace hull::isobmff
