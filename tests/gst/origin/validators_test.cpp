// ETag and what asks for it: RFC 9110 8.8.3, 13.1.2, 13.1.5.

#include "tests/gst/origin/station.h"

#include <algorithm>

namespace hull::origin {
namespace {

class Validators : public Station, public testing::WithParamInterface<const char *> {
 protected:
  void SetUp() override {
    Station::SetUp();
    start(false);
  }
  std::string ask(const std::string &arguments, const std::string &path) const {
    return curl(std::string(GetParam()) + " " + arguments, path);
  }
  // The value of a field, whose name any HTTP may write as it likes; empty: there is none.
  static std::string field(const std::string &answer, const std::string &name) {
    for (std::size_t at = 0; (at = answer.find('\n', at)) != std::string::npos;) {
      const std::size_t colon = answer.find(':', ++at);
      if (colon == std::string::npos || colon > answer.find('\n', at)) continue;
      std::string found = answer.substr(at, colon - at);
      std::transform(found.begin(), found.end(), found.begin(), g_ascii_tolower);
      if (found == name) return answer.substr(colon + 2, answer.find('\r', colon) - colon - 2);
    }
    return {};
  }
  std::string etag_of(const std::string &path, const std::string &arguments = "") const {
    return field(ask(arguments + " -i --raw -o -", path), "etag");
  }
  std::string status_with(const std::string &header, const std::string &path) const {
    return ask("-o /dev/null -w '%{http_code} %{size_download}' -H '" + header + "'", path);
  }
};

TEST_P(Validators, WhatIsKnownIsNotSentAgain) {
  for (const char *path : {"v1/1.m4s", "v1.m3u8", "master.m3u8"}) {
    const std::string etag = etag_of(path);
    ASSERT_TRUE(etag.size() > 2 && etag.front() == '"' && etag.back() == '"') << path << " " << etag;
    EXPECT_EQ(etag_of(path), etag) << path;
    for (const std::string &known : {etag, "W/" + etag, "\"a,b\", " + etag + ", \"c\"", std::string("*")})
      EXPECT_EQ(status_with("If-None-Match: " + known, path), "304 0") << path << " " << known;
    for (const std::string &other :
         {std::string("\"x\""), "\"x" + etag.substr(1), std::string("x"), etag.substr(1)})
      EXPECT_EQ(status_with("If-None-Match: " + other, path).substr(0, 3), "200") << path << " " << other;
    EXPECT_EQ(ask("-I -o /dev/null -w '%{http_code}' -H 'If-None-Match: " + etag + "'", path), "304") << path;
    EXPECT_EQ(field(ask("-i -H 'If-None-Match: " + etag + "'", path), "etag"), etag) << path;
  }
}

TEST_P(Validators, AnotherRepresentationIsAnother) {
  const std::string plain = etag_of("v1.m3u8"), packed = etag_of("v1.m3u8", "-H 'Accept-Encoding: gzip'");
  EXPECT_NE(plain, packed);
  EXPECT_NE(etag_of("v1/1.m4s"), etag_of("v1/2.m4s"));
  EXPECT_EQ(status_with("If-None-Match: " + packed, "v1.m3u8").substr(0, 3), "200");
  add_chunk();
  EXPECT_NE(etag_of("v1.m3u8"), plain) << "the window went on";
}

TEST_P(Validators, WhatGrowsHasNone) {
  add_chunk();
  EXPECT_EQ(field(ask("--max-time 1 -i", "v1/3.m4s"), "etag"), "");
}

TEST_P(Validators, ARangeOfWhatIsKnown) {
  const std::string etag = etag_of("v1/1.m4s");
  const auto range = [&](const std::string &of) {
    return ask("-o /dev/null -w '%{http_code} %{size_download}' -r 10-19 -H 'If-Range: " + of + "'",
               "v1/1.m4s");
  };
  EXPECT_EQ(range(etag), "206 10");
  EXPECT_EQ(range("\"x\""), fmt::format("200 {}", kChunk * kChunks));
  EXPECT_EQ(range("W/" + etag), fmt::format("200 {}", kChunk * kChunks))
      << "a weak one says nothing of bytes";
}

INSTANTIATE_TEST_SUITE_P(Http, Validators, testing::Values("--http1.1", "--http2-prior-knowledge"),
                         [](const auto &info) { return info.index == 0 ? "one" : "two"; });

} // namespace
} // namespace hull::origin
