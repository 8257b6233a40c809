#include "contract/provenance.h"

#include <gtest/gtest.h>

namespace qat {
namespace {

const std::string kHash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

TEST(Provenance, CutsHashesAndLeavesTheRest) {
  EXPECT_EQ(ProvenanceText({{"tool_version", "0.1.0"},
                            {"graph_sha256", kHash},
                            {"holdout_sha256", kHash},
                            {"task", "classes"},
                            {"calibration_images", "500"},
                            {"calibration_sha256", kHash}}),
            "calibration=0123456789abcdef01234567\n"
            "calibration_images=500\n"
            "graph=0123456789abcdef01234567\n");
  EXPECT_EQ(ProvenanceText({{"tool_version", "0.1.0"}}), "");
}

TEST(Provenance, ReadsItsLinesAndThoseOfEarlierVersions) {
  const std::map<std::string, std::string> expected = {{"data", kHash}, {"graph", "0123"}};
  EXPECT_EQ(ParseProvenance("graph=0123\ndata_sha256=" + kHash + "\nno pair\n"), expected);
  EXPECT_TRUE(ParseProvenance("").empty());
}

TEST(Provenance, AValueComesBackAsItWas) {
  const std::map<std::string, std::string> all = {{"keep_float", "fc\\d|a=b\nc\\n\\"}, {"type", "int8"}};
  EXPECT_EQ(ProvenanceText(all), "keep_float=fc\\\\d|a=b\\nc\\\\n\\\\\ntype=int8\n");
  EXPECT_EQ(ParseProvenance(ProvenanceText(all)), all);
}

TEST(Provenance, ComparesAsFarAsTheShorterHashGoes) {
  EXPECT_TRUE(SameHash(kHash, kHash));
  EXPECT_TRUE(SameHash(kHash.substr(0, kShortHash), kHash));
  EXPECT_FALSE(SameHash(kHash.substr(0, kShortHash - 1), kHash));  // too little to tell
  EXPECT_FALSE(SameHash(kHash, kHash.substr(1)));
  EXPECT_FALSE(SameHash("", kHash));
}

}  // namespace
}  // namespace qat
