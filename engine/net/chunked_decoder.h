// Decodes the chunked transfer coding of a request body (RFC 9112, 7.1), which libwebsockets does
// not.
//
// Thread: the loop's; one body, one decoder.
//
//   body  = *( size [ ";" extension ] CRLF data CRLF ) "0" [ ";" extension ] CRLF *( field CRLF )
//   CRLF
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace signalbox::net {

class ChunkedDecoder {
 public:
  enum class Result { kMore, kDone, kInvalid };

  // Reads the next bytes of the body, appends data to `out`. Bytes behind the end are ignored: the
  // connection is closed behind such a request.
  Result feed(std::string_view bytes, std::string& out);

 private:
  enum class State {
    kSize,
    kExtension,
    kSizeEnd,
    kData,
    kDataCr,
    kDataLf,
    kTrailerStart,
    kTrailer,
    kLastLf
  };
  State state_ = State::kSize;
  uint64_t remaining_ = 0;
  unsigned digits_ = 0;
  size_t overhead_ = 0;  // bytes of extensions and trailers, which carry nothing for us
};

}  // namespace signalbox::net
