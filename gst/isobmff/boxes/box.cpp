#include "gst/isobmff/boxes/box.h"

#include "gst/isobmff/boxes/shown.h"

#include <algorithm>
#include <fmt/format.h>

namespace hull::isobmff {

std::string shown(FourCC type) {
  if (!type.printable()) return fmt::format("0x{:08x}", type.value);
  std::string out;
  for (const char c : type.text())
    out += c == '\xa9' ? std::string("\xc2\xa9") : std::string(1, c);
  return out;
}

void rest_text(Fields &f, const char *name, std::string &text) {
  ByteVector bytes(text.begin(), text.end());
  f.rest(name, bytes);
  text.assign(bytes.begin(), bytes.end());
}

Result<BoxHeader> read_box_header(Bytes bytes, std::uint64_t available) {
  const auto truncated = [] { return fail(ErrorCode::bad_data, "the data ends inside a box header", 0); };
  if (bytes.size() < 8 || available < 8) return truncated();
  BoxHeader header;
  header.size = load_be(bytes.data(), 4);
  header.type = FourCC(static_cast<std::uint32_t>(load_be(bytes.data() + 4, 4)));
  if (header.size == 1) {
    if (bytes.size() < 16 || available < 16) return truncated();
    header.large_size = true;
    header.size = load_be(bytes.data() + 8, 8);
    header.header_size = 16;
  } else if (header.size == 0) {
    header.to_end = true;
    header.size = available;
  }
  if (header.type == FourCC("uuid")) {
    if (bytes.size() < header.header_size + 16u || available < header.header_size + 16u) return truncated();
    std::copy_n(bytes.data() + header.header_size, 16, header.uuid.begin());
    header.header_size += 16;
  }
  if (header.size < header.header_size)
    return fail(ErrorCode::bad_data, "a box is shorter than its own header", 0);
  if (header.size > available)
    return fail(ErrorCode::bad_data, "a box reaches past the end of what holds it", 0);
  return header;
}

void append_box_header(ByteVector &out, FourCC type, std::uint64_t payload_size, bool large_size,
                       const Uuid *uuid) {
  const std::uint64_t extra = uuid ? 16 : 0;
  const bool large = large_size || payload_size + extra + 8 > 0xffffffffu;
  append_be(out, 4, large ? 1 : payload_size + extra + 8);
  append_be(out, 4, type.value);
  if (large) append_be(out, 8, payload_size + extra + 16);
  if (uuid) append(out, *uuid);
}

Result<std::uint64_t> read_payload(Box &box, Bytes payload) {
  Reader reader(payload);
  box.fields(reader);
  if (!reader.ok()) {
    Error error = reader.error();
    error.text = shown(box.type) + ": " + error.text;
    return tl::unexpected(std::move(error));
  }
  return (reader.position() + 7) / 8;
}

Result<ByteVector> write_payload(Box &box) {
  Writer writer;
  box.fields(writer);
  if (writer.ok()) return writer.out().take();
  Error error = writer.error();
  if (auto *full = dynamic_cast<FullBox *>(&box); full && full->version == 0 && writer.has_wider_form()) {
    full->version = 1;
    Writer wider;
    box.fields(wider);
    if (wider.ok()) return wider.out().take();
    full->version = 0;
  }
  return fail(ErrorCode::settings, shown(box.type) + ": " + error.text, error.offset);
}

Result<ByteVector> write_box(Box &box) {
  auto payload = write_payload(box);
  if (!payload) return payload;
  ByteVector out;
  append_box_header(out, box.type, payload->size());
  append(out, *payload);
  return out;
}

} // namespace hull::isobmff
