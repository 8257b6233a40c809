#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <set>

#include "base/png.h"
#include "base/strings.h"
#include "data/dataset.h"
#include "data/image.h"
#include "data/npy.h"
#include "data/statistics.h"
#include "support/places.h"
#include "support/png_file.h"
#include "support/subprocess.h"
#include "support/test_util.h"

namespace qat {
namespace {

namespace fs = std::filesystem;

const std::string kPictures = std::string(testing::kSourceDir) + "/tests/data/pictures/";

// Pictures of 17x13 pixels in folders.
class PictureFolder : public ::testing::Test {
 protected:
  void Put(const std::string& picture, const std::string& to) {
    fs::create_directories(fs::path(dir_ / to).parent_path());
    fs::copy_file(kPictures + picture, dir_ / to);
  }
  static OpenOptions Options() {
    OpenOptions options;
    options.height = 13;
    options.width = 17;
    options.channels = 3;
    return options;
  }
  // So that train/ is all of the training split.
  void PutTests() {
    Put("rgb.png", "test/a/1.png");
    Put("rgb.png", "test/b/1.png");
  }
  Expected<Dataset> Open(Split split, const OpenOptions& options = Options()) {
    return OpenDataset(dir_.path(), split, options);
  }
  static Bytes PixelsOf(const std::string& name) { return ReadNpy(kPictures + name + ".npy")->values; }
  testing::TempDir dir_;
};

TEST_F(PictureFolder, IsReadInTurnsWithFolderNamesAsClasses) {
  Put("rgb24.bmp", "train/owl/1.bmp");
  Put("rgb.png", "train/owl/2.PNG");
  Put("alpha.png", "train/owl/3.png");
  Put("grey.jpg", "train/ant/z.JPG");
  Put("rgb420.jpg", "test/owl/a.jpeg");
  const auto train = Open(Split::kTrain);
  QAT_ASSERT_OK(train);
  EXPECT_EQ(train->class_names, (std::vector<std::string>{"ant", "owl"}));
  EXPECT_EQ(train->labels, (std::vector<int32_t>{0, 1, 1, 1}));
  EXPECT_EQ(Bytes(train->Image(0).begin(), train->Image(0).end()), PixelsOf("grey.jpg"));
  EXPECT_EQ(Bytes(train->Image(3).begin(), train->Image(3).end()), PixelsOf("alpha.png"));
  EXPECT_EQ(train->name, dir_.path());
  EXPECT_EQ(train->warning, "");
  const auto test = Open(Split::kTest);
  QAT_ASSERT_OK(test);
  EXPECT_EQ(test->labels, std::vector<int32_t>{1});
}

TEST_F(PictureFolder, SaysWhatItPassedOverThatMayHaveBeenMeant) {
  for (const char* name : {"a/1.png", "a/more/2.png", "a/.hidden/3.png", "a/4.webp", "b/1.png", "b/5.GIF"}) {
    Put("rgb.png", std::string("train/") + name);
  }
  QAT_ASSERT_OK(WriteFile(dir_ / "train/a/notes.txt", Bytes{'x'}));
  PutTests();
  const auto train = Open(Split::kTrain);
  QAT_ASSERT_OK(train);
  EXPECT_EQ(train->size(), 2);
  const std::string a = dir_ / "train/a/";
  EXPECT_EQ(train->warning,
            "passed over 3 folders and pictures of other formats (expected JPEG, PNG or BMP): " + a +
                "4.webp; " + a + "more; " + (dir_ / "train/b/5.GIF"));
}

TEST_F(PictureFolder, PassesOverPipesThatAreNamedLikePictures) {
  for (const char* name : {"a/1.png", "a/2.png", "b/1.png"}) Put("rgb.png", std::string("train/") + name);
  ASSERT_EQ(::mkfifo((dir_ / "train/a/3.jpg").c_str(), 0600), 0);
  fs::create_symlink("/dev/zero", dir_ / "train/b/2.png");
  ASSERT_EQ(::mkfifo((dir_ / "train-images-idx3-ubyte").c_str(), 0600), 0);
  const auto train = Open(Split::kTrain);
  QAT_ASSERT_OK(train);
  EXPECT_EQ(train->size(), 2) << "one picture is for testing";
  EXPECT_EQ(train->warning, "passed over 2 pipes, sockets or devices: " + (dir_ / "train/a/3.jpg") + ", " +
                                (dir_ / "train/b/2.png") + "\npassed over 1 pipe, socket or device: " +
                                (dir_ / "train-images-idx3-ubyte"));
}

TEST_F(PictureFolder, TakesValAsTheSecondSplitAndSaysWhichOneIsMissing) {
  Put("rgb.png", "val/a/1.png");
  Put("rgb.png", "val/b/1.png");
  QAT_ASSERT_OK(Open(Split::kTest));
  QAT_EXPECT_ERROR(Open(Split::kTrain), ErrorCode::kNotFound,
                   dir_.path() + ": holds no train/, expected it beside " + dir_.path() + "/val");
}

TEST_F(PictureFolder, WithoutSplitsKeepsATenthOfEveryClassForTesting) {
  for (int i = 0; i < 40; ++i) Put("rgb.png", "a/" + std::to_string(i) + ".png");
  for (int i = 0; i < 3; ++i) Put("grey.jpg", "b/" + std::to_string(i) + ".jpg");
  const auto train = Open(Split::kTrain);
  const auto test = Open(Split::kTest);
  QAT_ASSERT_OK(train);
  QAT_ASSERT_OK(test);
  EXPECT_EQ(train->size(), 36 + 2);
  EXPECT_EQ(test->size(), 4 + 1);
  EXPECT_EQ(std::count(test->labels.begin(), test->labels.end(), 1), 1);
  EXPECT_EQ(train->notes, std::vector<std::string>{
                              "there is no test split: a fixed choice of one picture in ten of each "
                              "class is taken, 5 pictures; folders train/ and test/ make another choice"});
  fs::remove_all(fs::path(dir_ / "b"));
  Put("rgb.png", "b/only.png");
  EXPECT_EQ(Open(Split::kTrain)->size(), 36 + 1) << "one picture is for training";
  EXPECT_EQ(Open(Split::kTest)->size(), 4);
}

TEST_F(PictureFolder, WithoutSplitsIsTestedAsAWholeWhereThatIsAskedFor) {
  for (int i = 0; i < 12; ++i) Put("rgb.png", StrCat("a/", i, ".png"));
  for (int i = 0; i < 12; ++i) Put("rgb.png", StrCat("b/", i, ".png"));
  EXPECT_EQ(Open(Split::kTest)->size(), 2);
  EXPECT_NE(Join(Open(Split::kTest)->notes).find("2 pictures (`whole` takes all); folders"),
            std::string::npos);
  OpenOptions options = Options();
  options.whole = true;
  EXPECT_EQ(Open(Split::kTest, options)->size(), 24);
  EXPECT_EQ(Open(Split::kTrain, options)->size(), 22);
}

TEST_F(PictureFolder, TrainsAndTestsOnTheSameWhereEveryClassHasOnePicture) {
  Put("rgb.png", "a/1.png");
  Put("rgb.png", "b/1.png");
  EXPECT_EQ(Open(Split::kTrain)->size(), 2);
  const auto test = Open(Split::kTest);
  QAT_ASSERT_OK(test);
  EXPECT_EQ(test->size(), 2);
  EXPECT_EQ(test->warning,
            "there is no test split, and every class holds one picture: the test split is the training "
            "split, so an "
            "accuracy says nothing about other examples");
}

TEST_F(PictureFolder, AFolderForValidationIsTheHoldoutBesideTheOtherTwo) {
  for (const char* split : {"Train", "val", "test", "sketches"}) {
    Put("rgb.png", std::string(split) + "/a/1.png");
    Put("rgb.png", std::string(split) + "/b/1.png");
  }
  Put("grey.jpg", "val/b/2.jpg");
  Put("rgb.png", "Train/b/broken.png");
  fs::resize_file(dir_ / "Train/b/broken.png", 30);
  const auto train = Open(Split::kTrain);
  QAT_ASSERT_OK(train);
  EXPECT_EQ(train->labels, (std::vector<int32_t>{0, 1, 0, 1, 1})) << "those for validation are the last";
  EXPECT_EQ(train->own_holdout, 3);
  EXPECT_NE(train->warning.find("one folder per class: " + dir_.path() + "/sketches"), std::string::npos)
      << train->warning;
  EXPECT_EQ(Open(Split::kTest)->size(), 2);
}

TEST_F(PictureFolder, ATrainIsAClassWhereItHoldsPictures) {
  for (const char* name : {"car/1.png", "car/2.png", "train/1.png", "train/2.png"}) Put("rgb.png", name);
  const auto train = Open(Split::kTrain);
  QAT_ASSERT_OK(train);
  EXPECT_EQ(train->class_names, (std::vector<std::string>{"car", "train"}));
}

TEST_F(PictureFolder, MakesATestSplitWhereThereIsOnlyTrain) {
  for (const char* name : {"a/1.png", "a/2.png", "b/1.png", "b/2.png"})
    Put("rgb.png", std::string("train/") + name);
  Put("rgb.png", "test/1.png");  // pictures without classes, as competitions have them
  EXPECT_EQ(Open(Split::kTrain)->size(), 2);
  const auto test = Open(Split::kTest);
  QAT_ASSERT_OK(test);
  EXPECT_EQ(test->size(), 2);
  EXPECT_NE(test->warning.find("not used, since a split is a folder"), std::string::npos) << test->warning;
}

TEST_F(PictureFolder, TakesPicturesAnywhereWhereLabelsAreNotNeeded) {
  Put("rgb.png", "2.png");
  Put("grey.jpg", "more/1.jpg");
  OpenOptions options = Options();
  QAT_EXPECT_ERROR(Open(Split::kTrain), ErrorCode::kCorrupt, "holds one class ('more')");
  options.unlabelled = true;
  const auto pictures = Open(Split::kTrain, options);
  QAT_ASSERT_OK(pictures);
  EXPECT_EQ(pictures->size(), 2);
  EXPECT_FALSE(pictures->labelled);
  fs::create_directory_symlink("..", fs::path(dir_ / "more/up"));
  EXPECT_EQ(Open(Split::kTrain, options)->size(), 2) << "a link to the folder above";
  fs::remove_all(fs::path(dir_ / "more"));
  EXPECT_EQ(Open(Split::kTrain, options)->size(), 1);
  QAT_EXPECT_ERROR(Open(Split::kTrain), ErrorCode::kNotFound, "holds pictures, but not in folders");
}

TEST_F(PictureFolder, IsStreamedWhereItDoesNotFitTheCacheWithTheSameResult) {
  const std::vector<std::string> pictures = {"rgb.png", "grey.jpg", "rgb420.jpg", "palette8.bmp",
                                             "alpha.png"};
  for (size_t i = 0; i < 50; ++i) {
    const std::string& picture = pictures[i % pictures.size()];
    Put(picture, "train/" + std::string(i % 2 == 0 ? "a/" : "b/") + std::to_string(i) + picture);
  }
  Put("rgb24.bmp", "train/a/broken.bmp");
  fs::resize_file(dir_ / "train/a/broken.bmp", 99);
  PutTests();
  const auto cached = Open(Split::kTrain);
  QAT_ASSERT_OK(cached);
  EXPECT_EQ(cached->stream, nullptr);
  for (const int threads : {1, 4}) {
    OpenOptions options = Options();
    options.cache_bytes = 1000;
    options.threads = threads;
    const auto streamed = Open(Split::kTrain, options);
    QAT_ASSERT_OK(streamed);
    EXPECT_NE(streamed->stream, nullptr);
    EXPECT_EQ(streamed->images.size(), 0u);
    EXPECT_EQ(streamed->labels, cached->labels);
    EXPECT_EQ(*Fingerprint(*streamed), *Fingerprint(*cached));
    const std::vector<int32_t> examples = {49, 3, 3, 17}, next = {3, 5};
    Bytes out(examples.size() * 13 * 17 * 3), expected(out.size());
    QAT_ASSERT_OK(streamed->Read(examples, out, next));
    QAT_ASSERT_OK(cached->Read(examples, expected));
    EXPECT_EQ(out, expected);
  }
}

TEST_F(PictureFolder, LeavesOutBrokenPicturesAndSaysWhich) {
  for (int i = 0; i < 6; ++i) {
    Put("rgb420.jpg", "train/a/" + std::to_string(i) + ".jpg");
    Put("rgb.png", "train/b/" + std::to_string(i) + ".png");
  }
  fs::resize_file(dir_ / "train/a/2.jpg", 700);
  PutTests();
  const auto train = Open(Split::kTrain);
  QAT_ASSERT_OK(train);
  EXPECT_EQ(train->size(), 11);
  EXPECT_EQ(train->warning,
            "left out 1 of 12 pictures that cannot be read (`strict` stops there): " + dir_.path() +
                "/train/a/2.jpg: is a damaged JPEG picture (Premature end of JPEG file)");
  for (int i = 0; i < 4; ++i) fs::resize_file(dir_ / ("train/b/" + std::to_string(i) + ".png"), 20);
  EXPECT_NE(Open(Split::kTrain)->warning.find("left out 5 of 12"), std::string::npos);
  EXPECT_TRUE(Open(Split::kTrain)->warning.ends_with("; …"));
  OpenOptions strict = Options();
  strict.strict = true;
  QAT_EXPECT_ERROR(Open(Split::kTrain, strict), ErrorCode::kCorrupt,
                   "/train/b/0.png: is a damaged PNG picture");
}

TEST_F(PictureFolder, ALimitIsAStratifiedSample) {
  for (int i = 0; i < 9; ++i) Put("rgb.png", "train/a/" + std::to_string(i) + ".png");
  for (int i = 0; i < 3; ++i) Put("grey.jpg", "train/b/" + std::to_string(i) + ".jpg");
  PutTests();
  OpenOptions options = Options();
  options.limit = 4;
  const auto sample = Open(Split::kTrain, options);
  QAT_ASSERT_OK(sample);
  EXPECT_EQ(std::count(sample->labels.begin(), sample->labels.end(), 0), 3);
  EXPECT_EQ(sample->available, 12);
  options.limit = 0;
  const auto all = Open(Split::kTrain, options);
  for (int32_t i = 0; i < 4; ++i) {
    const auto index = sample->IndexOf(i);
    EXPECT_EQ(sample->labels[static_cast<size_t>(i)], all->labels[static_cast<size_t>(index)]);
    EXPECT_TRUE(std::equal(sample->Image(i).begin(), sample->Image(i).end(), all->Image(index).begin()));
  }
  options.limit = 4;
  EXPECT_EQ(Open(Split::kTrain, options)->indices, sample->indices);
}

TEST_F(PictureFolder, TakesLabelsFromTheNamesThatAModelKnows) {
  Put("rgb.png", "test/owl/1.png");
  Put("rgb.png", "test/ant/1.png");
  OpenOptions options = Options();
  options.class_names = {"owl", "bee", "ant"};
  EXPECT_EQ(Open(Split::kTest, options)->labels, (std::vector<int32_t>{0, 2}));
  options.class_names = {"owl", "bee", "aunt"};
  QAT_EXPECT_ERROR(
      Open(Split::kTest, options), ErrorCode::kCorrupt,
      "/test: has the class 'ant', expected one of the 3 that the network knows (owl, bee, aunt); did "
      "you mean 'aunt'?");
}

TEST_F(PictureFolder, IsFittedToTheNetworkInSizeAndColour) {
  Put("large.png", "train/a/1.png");
  Put("rgb.png", "train/b/1.png");
  OpenOptions options = Options();
  options.height = options.width = 20;
  options.channels = 1;
  const auto train = Open(Split::kTrain, options);
  QAT_ASSERT_OK(train);
  const Image large = FitImage(*DecodeImage(*ReadFile(kPictures + "large.png"), "", 1), 20, 20);
  EXPECT_EQ(Bytes(train->Image(0).begin(), train->Image(0).end()), large.pixels);
  options.fit = Fit::kPad;
  const auto padded = Open(Split::kTrain, options);
  QAT_ASSERT_OK(padded);
  const Image whole = FitImage(*DecodeImage(*ReadFile(kPictures + "large.png"), "", 1), 20, 20, Fit::kPad);
  EXPECT_EQ(Bytes(padded->Image(0).begin(), padded->Image(0).end()), whole.pixels);
  EXPECT_NE(whole.pixels, large.pixels);
  options.channels = 4;
  QAT_EXPECT_ERROR(Open(Split::kTrain, options), ErrorCode::kInvalidArgument,
                   "the network takes 4 channels, expected 3 (RGB) or 1 (grey)");
}

// As archives unpack, made on whatever system.
TEST_F(PictureFolder, FindsWhatLiesInOneFolderAndIgnoresWhatSystemsLeaveBehind) {
  for (const char* name :
       {"pets/cat/1.png", "pets/cat/2.png", "pets/dog/1.png", "pets/dog/2.png", "pets/@eaDir/1.png",
        "__MACOSX/pets/cat/._1.png", ".cache/1.png", "pets/cat/__MACOSX/1.png"}) {
    Put("rgb.png", name);
  }
  QAT_ASSERT_OK(WriteFile(dir_ / ".DS_Store", Bytes{'x'}));
  const auto train = Open(Split::kTrain);
  QAT_ASSERT_OK(train);
  EXPECT_EQ(train->class_names, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(train->size(), 2);
  EXPECT_EQ(train->name, dir_.path());
  ASSERT_FALSE(train->notes.empty());
  EXPECT_EQ(train->notes[0], "everything lies in its folder " + (dir_ / "pets") + ", which is read");
  EXPECT_EQ(train->warning, "");
}

TEST_F(PictureFolder, OneFolderOfPicturesIsStillOneClass) {
  Put("rgb.png", "cat/1.png");
  QAT_EXPECT_ERROR(Open(Split::kTrain), ErrorCode::kCorrupt, "holds one class ('cat')");
}

TEST_F(PictureFolder, SaysWhatIsMissing) {
  Put("rgb.png", "train/a/1.png");
  QAT_EXPECT_ERROR(Open(Split::kTrain), ErrorCode::kCorrupt,
                   "/train: holds one class ('a'), expected at least two folders of pictures");
  fs::create_directories(dir_ / "train/b");
  QAT_EXPECT_ERROR(
      Open(Split::kTrain), ErrorCode::kCorrupt,
      "/train/b: holds no pictures, expected files ending in .jpg, .jpeg, .png or .bmp; found nothing");
  QAT_ASSERT_OK(WriteFile(dir_ / "train/b/1.webp", std::string_view("x")));
  QAT_EXPECT_ERROR(Open(Split::kTrain), ErrorCode::kCorrupt, "found 1.webp");
  QAT_ASSERT_OK(WriteFile(dir_ / "train/b/1.png", std::string_view("x")));
  fs::resize_file(dir_ / "train/a/1.png", 5);
  QAT_EXPECT_ERROR(Open(Split::kTrain), ErrorCode::kCorrupt,
                   dir_.path() + ": none of 2 pictures can be read; ");
}

// 50,000 JPEG files; the hash is of Pillow's pixels in the same order, taken by a program of its own.
TEST_F(PictureFolder, EqualsPillowOnAllOfCifar10) {
  const std::string archive = testing::DataDir() + "/cifar10-images.tar.gz";
  QAT_NEEDS_FILE(archive);
  const auto unpacked = testing::Run({"/usr/bin/tar", "-xzf", archive, "-C", dir_.path(), "train", "test"});
  ASSERT_EQ(unpacked.exit_code, 0) << unpacked.err;
  OpenOptions options = Options();
  options.height = options.width = 32;
  const auto train = Open(Split::kTrain, options);
  QAT_ASSERT_OK(train);
  EXPECT_EQ(train->size(), 50000);
  EXPECT_EQ(train->class_names[1], "automobile");
  EXPECT_EQ(*Fingerprint(*train), "d18fadf35d881ce9ce9982842598826b8e321984b117adb63ee6adba81d002b7");
  const auto statistics = MeasureChannels(*train);
  QAT_ASSERT_OK(statistics);
  EXPECT_NEAR(statistics->mean[0], 125.268848, 1e-6);
  EXPECT_NEAR(statistics->std[2], 66.460336, 1e-6);
}

// Pictures of 16 bits per sample, 17x13, all samples the same, and the real numbers that examples hold.
class DeepFolder : public PictureFolder {
 protected:
  void PutDeep(const std::string& to, uint16_t sample) {
    testing::PngFile file = {
        13, 17, 16, testing::PngColour::kGrey, false, std::vector<uint16_t>(13 * 17, sample)};
    fs::create_directories(fs::path(dir_ / to).parent_path());
    ASSERT_TRUE(WriteFile(dir_ / to, Encoded(file)).ok());
  }
  void PutBytes(const std::string& to, uint8_t sample) {
    fs::create_directories(fs::path(dir_ / to).parent_path());
    ASSERT_TRUE(WriteFile(dir_ / to, EncodePng(13, 17, 1, Bytes(13 * 17, sample))).ok());
  }
  static std::vector<float> RealsOf(const Dataset& dataset, int32_t example) {
    Bytes stored(static_cast<size_t>(dataset.ImageSize()));
    EXPECT_TRUE(dataset.Read({&example, 1}, stored).ok());
    std::vector<float> reals(stored.size() / sizeof(float));
    std::memcpy(reals.data(), stored.data(), stored.size());
    return reals;
  }
  static OpenOptions Grey() {
    OpenOptions options = Options();
    options.channels = 1;
    return options;
  }
};

TEST_F(DeepFolder, HoldsRealNumbersAsTheyAreStored) {
  for (const uint16_t i : {0, 1, 2}) {
    PutDeep("train/a/" + std::to_string(i) + ".png", static_cast<uint16_t>(i * 2000));
    PutDeep("train/b/" + std::to_string(i) + ".png", static_cast<uint16_t>(i + 90));
  }
  PutDeep("test/a/1.png", 7);
  PutDeep("test/b/1.png", 8);
  const auto train = Open(Split::kTrain, OpenOptions());
  QAT_ASSERT_OK(train);
  EXPECT_EQ(train->input(), (ExampleInput{13, 17, 1, ValueType::kReal}));
  EXPECT_EQ(train->white, 65535);
  EXPECT_EQ(train->size(), 6);
  EXPECT_EQ(RealsOf(*train, 4), std::vector<float>(13 * 17, 4000)) << "class a, number 2";
  EXPECT_EQ(RealsOf(*train, 3), std::vector<float>(13 * 17, 91));
  EXPECT_EQ(train->notes, std::vector<std::string>{
                              "6 of 6 pictures have 16 bits per sample: values are real numbers, 0 to 65535, "
                              "the highest 4000"});
  EXPECT_EQ(train->warning, "");
  const auto statistics = MeasureChannels(*train);
  QAT_ASSERT_OK(statistics);
  EXPECT_NEAR(statistics->mean[0], (0 + 2000 + 4000 + 90 + 91 + 92) / 6.0, 1e-9);
  OpenOptions small = Grey();
  small.cache_bytes = 1000;
  const auto streamed = Open(Split::kTrain, small);
  QAT_ASSERT_OK(streamed);
  EXPECT_NE(streamed->stream, nullptr);
  EXPECT_EQ(RealsOf(*streamed, 4), RealsOf(*train, 4));
  EXPECT_EQ(*Fingerprint(*streamed), *Fingerprint(*train));
}

TEST_F(DeepFolder, ASampleDecidesAsAllPicturesDo) {
  for (int i = 0; i < 20; ++i) {
    PutBytes("train/a/" + std::to_string(i) + ".png", 100);
    PutBytes("train/b/" + std::to_string(i) + ".png", 200);
  }
  PutDeep("train/b/99.png", 5);
  PutTests();
  OpenOptions options = Grey();
  options.limit = 2;
  options.prefix = true;
  const auto sample = Open(Split::kTrain, options);
  QAT_ASSERT_OK(sample);
  EXPECT_EQ(RealsOf(*sample, 1), std::vector<float>(13 * 17, 200 * 257));
}

TEST_F(DeepFolder, BytesAmongThemAreMultipliedSoThatWhiteStaysWhite) {
  PutDeep("train/a/1.png", 65535);
  PutBytes("train/b/1.png", 255);
  PutBytes("train/b/2.png", 3);
  PutTests();
  const auto train = Open(Split::kTrain, Grey());
  QAT_ASSERT_OK(train);
  EXPECT_EQ(RealsOf(*train, 0), RealsOf(*train, 1));
  EXPECT_EQ(RealsOf(*train, 2), std::vector<float>(13 * 17, 771));
  EXPECT_EQ(train->notes.back(),
            "2 of 3 pictures have 8 bits per sample and are multiplied by 257, so that white is 65535, as in "
            "those of 16 "
            "bits: " +
                (dir_ / "train/b/1.png") + "; " + (dir_ / "train/b/2.png"));
}

TEST_F(DeepFolder, IsReducedWithAWarningWhereTheNetworkTakesBytes) {
  PutDeep("train/a/1.png", 4095);
  PutDeep("train/b/1.png", 257);
  PutBytes("train/b/2.png", 9);
  PutTests();
  OpenOptions options = Grey();
  options.values = ValueType::kByte;
  const auto train = Open(Split::kTrain, options);
  QAT_ASSERT_OK(train);
  EXPECT_EQ(Bytes(train->Image(0).begin(), train->Image(0).end()), Bytes(13 * 17, 16));
  EXPECT_EQ(Bytes(train->Image(1).begin(), train->Image(1).end()), Bytes(13 * 17, 1));
  EXPECT_EQ(Bytes(train->Image(2).begin(), train->Image(2).end()), Bytes(13 * 17, 9));
  EXPECT_EQ(train->warning,
            "2 of 3 pictures have 16 bits per sample and are divided by 257, since the network takes bytes: "
            "their highest "
            "value, 4095, becomes 16 of 255; a network of real numbers (values = \"reals\" in its spec) "
            "keeps all bits: " +
                (dir_ / "train/a/1.png") + "; " + (dir_ / "train/b/1.png"));
}

TEST_F(DeepFolder, IsScaledToTheWhiteThatANetworkLearned) {
  PutDeep("train/a/1.png", 257);
  PutDeep("train/b/1.png", 100);
  PutBytes("test/a/1.png", 2);
  PutBytes("test/b/1.png", 4);
  OpenOptions options = Grey();
  options.values = ValueType::kReal;
  EXPECT_EQ(RealsOf(*Open(Split::kTest, options), 1), std::vector<float>(13 * 17, 4))
      << "a folder of bytes by itself";
  options.white = 255;
  const auto divided = Open(Split::kTrain, options);
  QAT_ASSERT_OK(divided);
  EXPECT_EQ(RealsOf(*divided, 0), std::vector<float>(13 * 17, 1));
  EXPECT_EQ(RealsOf(*divided, 1), std::vector<float>(13 * 17, 100 / 257.0f))
      << "nothing is rounded to whole numbers";
  EXPECT_NE(divided->notes.back().find("2 of 2 pictures have 16 bits per sample and are divided by 257"),
            std::string::npos);
  options.white = 65535;
  EXPECT_EQ(RealsOf(*Open(Split::kTest, options), 1), std::vector<float>(13 * 17, 4 * 257));
}

TEST_F(DeepFolder, IsFittedAsRealNumbers) {
  Put("deep.png", "a/1.png");
  Put("deep.png", "b/1.png");
  OpenOptions options = Grey();
  options.height = options.width = 20;
  const auto train = Open(Split::kTrain, options);
  QAT_ASSERT_OK(train);
  const NpyArray expected = *ReadNpy(kPictures + "deep_20x20.npy");
  const std::vector<float> reals = RealsOf(*train, 0);
  for (size_t i = 0; i < reals.size(); ++i) {
    float value;
    std::memcpy(&value, &expected.values[i * sizeof(float)], sizeof(float));
    EXPECT_NEAR(reals[i], value, 0.02);
  }
}

TEST_F(PictureFolder, StopsReadingWhereItIsInterrupted) {
  Put("rgb.png", "train/a/1.png");
  Put("rgb.png", "train/b/1.png");
  OpenOptions options = Options();
  options.hooks.interrupted = [] { return true; };
  QAT_EXPECT_ERROR(Open(Split::kTrain, options), ErrorCode::kInterrupted, "interrupted");
}

}  // namespace
}  // namespace qat
