// What the micro-benchmarks read and write: the texts of an ordinary session.
//
// Thread: any; made once.
#pragma once

#include <string>

namespace micro {

// The arguments of an offer with 1.5 kB of SDP, whose lines end with \r\n, and of a candidate.
const std::string& offer();
const std::string& candidate();

// The Socket.IO packets of the two.
const std::string& offer_packet();
const std::string& candidate_packet();

// 1.5 kB in which every sixth letter is not of ASCII.
const std::string& mixed_text();

}  // namespace micro
