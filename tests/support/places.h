// places.h: where a test finds the tree, the build, Python and data. Values are in one source of their own
// (places.cc), so that the other objects are the same in every checkout, and a compiler cache knows them.
#ifndef QAT_TESTS_SUPPORT_PLACES_H_
#define QAT_TESTS_SUPPORT_PLACES_H_

namespace qat::testing {

extern const char* const kSourceDir;
extern const char* const kBinaryDir;
extern const char* const kLitertPython;     ///< with what tests/requirements.txt lists
extern const char* const kTestDataDefault;  ///< where QAT_TEST_DATA is not set

}  // namespace qat::testing

#endif  // QAT_TESTS_SUPPORT_PLACES_H_
