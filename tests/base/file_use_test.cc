#include "base/file_use.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.h"
#include "support/test_util.h"

namespace qat {
namespace {

namespace fs = std::filesystem;
using testing::TempDir;

class FileUseTest : public ::testing::Test {
 protected:
  FileUseTest() {
    for (const char* name : {"m", "other", "data/a.png", "data/page.html", "run/config.toml"}) {
      fs::create_directories(fs::path(At(name)).parent_path());
      EXPECT_TRUE(WriteFile(At(name), "x").ok());
    }
    fs::create_directories(At("run/checkpoints"));
    fs::create_symlink("m", At("link"));
    fs::create_symlink("new", At("dangling"));
    fs::create_hard_link(At("m"), At("hard"));
  }
  std::string At(const std::string& name) const { return dir_ / name; }

  // The message where `--model read` and `--json written` clash; empty: they do not.
  std::string Clash(const std::string& read, const std::string& written) const {
    FileUse use;
    use.Read("--model", read);
    use.Write("--json", written);
    const Status status = use.Check();
    if (status.ok()) return "";
    EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
    return status.error().message;
  }

  TempDir dir_;
};

TEST_F(FileUseTest, KnowsAFileByWhateverName) {
  EXPECT_EQ(Clash(At("m"), At("m")),
            "--json: " + At("m") + " is the file that --model reads, expected another file");
  for (const std::string& name : {At("link"), At("hard"), At("run/../m"), dir_.path() + "//./m"}) {
    EXPECT_EQ(Clash(At("m"), name),
              "--json: " + name + " is the file that --model reads (" + At("m") + "), expected another file");
    EXPECT_NE(Clash(name, At("m")), "");
  }
  EXPECT_EQ(Clash(At("m"), At("other")), "");
  EXPECT_EQ(Clash(At("m"), At("new")), "");
  EXPECT_EQ(Clash("", At("m")), "");
  const auto before = fs::current_path();
  fs::current_path(dir_.path());
  EXPECT_NE(Clash("m", At("m")), "");
  fs::current_path(before);
}

TEST_F(FileUseTest, TwoOutputsOfOneNameClashThoughNothingIsThereYet) {
  FileUse use;
  use.Write("--html", At("new"));
  use.Write("--json", At("run/../new"));
  std::string conflict;
  QAT_EXPECT_ERROR(use.Check(&conflict), ErrorCode::kInvalidArgument,
                   "--json: " + At("run/../new") + " is the file that --html writes");
  EXPECT_EQ(conflict, "--json");
  FileUse linked;
  linked.Write("--html", At("new"));
  linked.Write("--json", At("dangling"));
  EXPECT_FALSE(linked.Check().ok()) << "a link to nothing makes what it points to";
  FileUse streams;
  streams.Write("--html", "-");
  streams.Write("--json", "-");
  QAT_EXPECT_ERROR(streams.Check(), ErrorCode::kInvalidArgument,
                   "--json: standard output is the file that --html writes");
}

TEST_F(FileUseTest, DevicesAreNobodysFile) {
  FileUse use;
  use.Read("--config", "/dev/null");
  use.Write("--html", "/dev/null");
  use.Write("--json", "/dev/null");
  QAT_ASSERT_OK(use.Check());
}

TEST_F(FileUseTest, ARunsOwnFilesMayNotBeReplaced) {
  const auto clash = [&](const std::string& written) {
    FileUse use;
    use.ReadRun("RUN", At("run"));
    use.Write("--output", At(written));
    return use.Check().ok() ? "" : use.Check().error().message;
  };
  EXPECT_EQ(clash("run/model.qgraph"), "");
  EXPECT_NE(clash("run/config.toml"), "");
  EXPECT_NE(clash("run/metrics.ndjson"), "") << "it would be taken for the run's";
  EXPECT_NE(clash("run/checkpoints/new.ckpt").find("which belongs to the run of RUN"), std::string::npos);
}

TEST_F(FileUseTest, ARunThatIsWrittenMayNotReplaceItsInputs) {
  const auto clash = [&](const std::string& config, bool resumed) {
    FileUse use;
    use.Read("--config", config);
    use.WriteRun("--output", At("run"), resumed);
    return !use.Check().ok();
  };
  EXPECT_TRUE(clash(At("run/config.toml"), false));
  EXPECT_FALSE(clash(At("run/config.toml"), true)) << "the same recipe, written again";
  EXPECT_FALSE(clash(At("m"), false));
  EXPECT_TRUE(clash(At("run"), false)) << "data that would become a run";
}

TEST_F(FileUseTest, DataMayNotBeReplacedButReportsAmongThemMay) {
  EXPECT_NE(Clash(At("data"), At("data/a.png")).find("is among the data of --model"), std::string::npos);
  EXPECT_EQ(Clash(At("data"), At("data/page.html")), "");
  EXPECT_EQ(Clash(At("data"), At("data/new.png")), "");
  EXPECT_EQ(Clash(At("data"), At("other")), "");
  QAT_ASSERT_OK(WriteFile(At("data/labels.csv"), std::string_view("file,label\na.png,1\n")));
  QAT_ASSERT_OK(WriteFile(At("data/answers.csv"), std::string_view("index,label,m.tflite\n0,1,1\n")));
  EXPECT_NE(Clash(At("data"), At("data/labels.csv")).find("is among the data of --model"), std::string::npos);
  EXPECT_EQ(Clash(At("data"), At("data/answers.csv")), "") << "predictions of an earlier call";
  EXPECT_EQ(Clash(At("data"), At("data/new.csv")), "");
}

}  // namespace
}  // namespace qat
