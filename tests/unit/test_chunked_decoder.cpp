#include "engine/net/chunked_decoder.h"

#include "tests/unit/unit_test.h"

using signalbox::net::ChunkedDecoder;
using Result = ChunkedDecoder::Result;

namespace {

// Feeds `body` in pieces of `step` bytes; tells the last result.
Result decode(std::string_view body, size_t step, std::string& out) {
  ChunkedDecoder decoder;
  Result result = Result::kMore;
  for (size_t at = 0; at < body.size() && result == Result::kMore; at += step) {
    const unit_test::Exact piece(body.substr(at, step));
    result = decoder.feed(piece.view(), out);
  }
  return result;
}

constexpr std::string_view kWiki =
    "4\r\nWiki\r\n5;a=b\r\npedia\r\nE \r\n in\r\n\r\nchunks.\r\n0\r\n\r\n";

void a_body_is_decoded_however_it_is_cut(void**) {
  for (size_t step = 1; step <= kWiki.size(); ++step) {
    std::string out;
    assert_true(decode(kWiki, step, out) == Result::kDone);
    assert_text_equal(out, "Wikipedia in\r\n\r\nchunks.");
  }
}

void trailers_are_skipped(void**) {
  std::string out;
  assert_true(decode("1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\n", 3, out) == Result::kDone);
  assert_text_equal(out, "x");
}

void a_truncated_body_is_not_done(void**) {
  for (size_t length = 0; length < kWiki.size(); ++length) {
    std::string out;
    assert_for(kWiki.substr(0, length), decode(kWiki.substr(0, length), 7, out) == Result::kMore);
  }
}

void anything_else_is_refused(void**) {
  const std::string long_extension = "1;" + std::string(20000, 'a');
  const std::string long_trailer = "0\r\nA: " + std::string(20000, 'b');
  for (std::string_view body :
       {std::string_view("x"), std::string_view("\r\n"), std::string_view("-1\r\n"),
        std::string_view("0x1\r\n"), std::string_view("123456789\r\n"), std::string_view("1\rx"),
        std::string_view("1\n"), std::string_view("1;a\nb"), std::string_view("1\r\nab"),
        std::string_view("1\r\na\n"), std::string_view("1\r\na\rb"), std::string_view("0\r\n\rx"),
        std::string_view(long_extension), std::string_view(long_trailer)}) {
    std::string out;
    assert_for(body, decode(body, 5, out) == Result::kInvalid);
  }
}

void random_bytes_do_no_harm(void**) {
  auto random = unit_test::seeded_random();
  for (int round = 0; round < 20000; ++round) {
    const std::string body = unit_test::mutated(random, std::string(kWiki), "0129aF;\r\n x");
    std::string out;
    decode(body, 1 + unit_test::below(random, 9), out);
    assert_true(out.size() <= body.size());
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_body_is_decoded_however_it_is_cut),
      cmocka_unit_test(trailers_are_skipped),
      cmocka_unit_test(a_truncated_body_is_not_done),
      cmocka_unit_test(anything_else_is_refused),
      cmocka_unit_test(random_bytes_do_no_harm),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
