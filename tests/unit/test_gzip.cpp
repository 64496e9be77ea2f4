#include "engine/net/gzip.h"

#include "tests/unit/unit_test.h"

using namespace signalbox::net;

namespace {

void consent_is_read_with_its_weight(void**) {
  for (const char* header :
       {"gzip", "GZip", "x-gzip", "gzip;q=1", "gzip;q=1.000", "gzip;q=0.001", "gzip ; q=0.5",
        "gzip; Q=1.", "deflate, gzip", "deflate,gzip;q=0.2,*;q=0", "br , gzip", "*", "*;q=0.1",
        "identity, *", "gzip, deflate, br, zstd", ",,gzip", "*;q=0, gzip", "\tgzip\t",
        "gzip;level=9;q=1"}) {
    const unit_test::Exact exact(header);
    assert_for(header, accepts_gzip(exact.view()));
  }
}

void everything_else_is_no_consent(void**) {
  for (const char* header : {"",
                             " ",
                             ",",
                             ";",
                             "identity",
                             "deflate, br",
                             "gzip;q=0",
                             "gzip;q=0.000",
                             "gzip; q=0.",
                             "*;q=0",
                             "gzip;q=0, *",
                             "*, gzip;q=0",
                             "gzipped",
                             "gzi",
                             "gzip x",
                             "gzip;q=",
                             "gzip;q",
                             "gzip;q=2",
                             "gzip;q=1.001",
                             "gzip;q=0.0001",
                             "gzip;q=-1",
                             "gzip;q=x",
                             "gzip;q=0.x",
                             "gzip;q=.5",
                             "gzip;q=05",
                             "gzip;a=b;q=0",
                             "q=1"}) {
    const unit_test::Exact exact(header);
    assert_for(header, !accepts_gzip(exact.view()));
  }
}

void bodies_from_1024_bytes_to_256_kibibytes_are_coded(void**) {
  for (const size_t size : {1024, 262144}) {
    Response response{.body = std::string(size, 'x'), .headers = "A: b\r\n"};
    gzip_body(response);
    assert_text_equal(response.headers,
                      "A: b\r\nContent-Encoding: gzip\r\nVary: Accept-Encoding\r\n");
    assert_true(response.body.size() < size / 10);
    assert_true(response.body.starts_with("\x1f\x8b"));
  }
}

void smaller_and_larger_ones_stay(void**) {
  for (const size_t size : {0, 1, 1023, 262145}) {
    Response response{.body = std::string(size, 'x')};
    gzip_body(response);
    assert_text_equal(response.body, std::string(size, 'x'));
    assert_text_equal(response.headers, "");
  }
}

void one_that_would_grow_stays(void**) {
  std::mt19937 random = unit_test::seeded_random();
  std::string noise(5000, '\0');
  for (char& c : noise) c = static_cast<char>(random() & 0xff);
  Response response{.body = noise};
  gzip_body(response);
  assert_text_equal(response.body, noise);
  assert_text_equal(response.headers, "");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(consent_is_read_with_its_weight),
      cmocka_unit_test(everything_else_is_no_consent),
      cmocka_unit_test(bodies_from_1024_bytes_to_256_kibibytes_are_coded),
      cmocka_unit_test(smaller_and_larger_ones_stay),
      cmocka_unit_test(one_that_would_grow_stays),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
