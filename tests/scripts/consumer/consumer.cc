// Runs a model on zeros and prints its outputs as real numbers.
#include <qat/model.h>

#include <cstdio>

int main(int argc, char** argv) {
  qat::v1::Error error;
  const auto model = argc == 2 ? qat::v1::Model::Load(argv[1], error) : nullptr;
  if (model == nullptr) {
    std::fprintf(stderr, "%s\n", error.message.c_str());
    return error.code;
  }
  for (size_t i = 0; i < model->inputs().size(); ++i) {
    size_t count = 1;
    for (const int32_t size : model->inputs()[i].shape) count *= static_cast<size_t>(size);
    if (!model->SetReal(i, std::vector<float>(count, 0.0f))) return 1;
  }
  model->Run();
  for (size_t i = 0; i < model->outputs().size(); ++i) {
    for (const float value : model->Real(i)) std::printf("%.9g\n", static_cast<double>(value));
  }
}
