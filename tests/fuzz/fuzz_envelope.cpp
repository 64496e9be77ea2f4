// A message between nodes: what is decoded encodes to the same bytes, also when it is of a kind
// that this version does not know.
#include "engine/store/envelope.h"
#include "tests/fuzz/fuzz.h"

using namespace signalbox::store;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes = fuzz::text_of(data, size);
  Envelope envelope;
  const DecodeResult result = decode(bytes, envelope);
  if (result == DecodeResult::kMalformed) return 0;
  if (result == DecodeResult::kUnknown && envelope.sender.empty()) {
    CHECK(bytes[0] != 1);  // of another version: nothing is known of its form
    return 0;
  }
  CHECK(envelope.sender.size() == kNodeIdLength);
  const bool known =
      envelope.kind >= EnvelopeKind::kProbe && envelope.kind <= EnvelopeKind::kNamespaceEvent;
  CHECK(known == (result == DecodeResult::kOk));
  CHECK(encode(envelope) == bytes);
  return 0;
}
