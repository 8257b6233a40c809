#include "train/teacher.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "base/strings.h"
#include "train/modules/nhwc.h"
#include "train/tensor_span.h"

namespace qat {
namespace {

// "128", or "[125.3, 123, 113.9]".
std::string NumbersText(const std::vector<float>& numbers) {
  const bool same =
      std::adjacent_find(numbers.begin(), numbers.end(), std::not_equal_to<>()) == numbers.end();
  std::vector<std::string> texts;
  for (const float number :
       std::span(numbers).first(same ? std::min<size_t>(numbers.size(), 1) : numbers.size()))
    texts.push_back(NumberText(number));
  return texts.size() == 1 ? texts[0] : StrCat("[", Join(texts), "]");
}

// One number for all channels is as many equal ones.
bool HoldTheSame(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.empty() || b.empty()) return a.empty() == b.empty();
  for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    if (a[i % a.size()] != b[i % b.size()]) return false;
  }
  return true;
}

Status CheckInput(const InputContract& teacher, const InputContract& own, const std::string& what) {
  if (teacher.NetworkShape() != own.NetworkShape() || teacher.values != own.values) {
    const auto text = [](const InputContract& input) {
      return StrCat(ToString(input.NetworkShape()), " of ",
                    input.values == ValueType::kByte ? "bytes" : "real numbers");
    };
    return InvalidArgument(StrCat("the teacher's ", what, " is ", text(teacher), ", expected ", text(own),
                                  " as the network takes"));
  }
  if (HoldTheSame(teacher.mean, own.mean) && HoldTheSame(teacher.std, own.std)) return {};
  return InvalidArgument(
      StrCat("the teacher's ", what, " is normalized with mean ", NumbersText(teacher.mean), " and std ",
             NumbersText(teacher.std), ", that of this run with ", NumbersText(own.mean), " and ",
             NumbersText(own.std), ", expected the same: `mean` ", NumbersText(teacher.mean), " and `std` ",
             NumbersText(teacher.std), " make it so"));
}

Status CheckClasses(const Checkpoint& teacher, const Graph& network, const Contract& contract) {
  const Shape& theirs = teacher.network.tensor(teacher.network.outputs[0]).shape;
  const Shape& own = network.tensor(network.outputs[0]).shape;
  if (theirs != own) {
    return InvalidArgument(StrCat("the teacher ends in ", ToString(theirs), ", expected ", ToString(own),
                                  " as network '", network.name, "' does"));
  }
  const std::vector<std::string>&a = teacher.contract.labels(), &b = contract.labels();
  if (a.empty() || b.empty() || a == b) return {};
  const auto differs = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  const auto name = [](const auto& at, const auto& end) {
    return at == end ? std::string("none") : StrCat("'", *at, "'");
  };
  return InvalidArgument(StrCat("class ", differs.first - a.begin(), " of the teacher is ",
                                name(differs.first, a.end()), ", expected ", name(differs.second, b.end()),
                                " as in the data"));
}

}  // namespace

Status CheckTeacher(const Checkpoint& teacher, const Graph& network, const Contract& contract) {
  const bool one = network.outputs.size() == 1 && teacher.network.outputs.size() == 1;
  if (!one)
    return Unsupported("a network with several outputs learns from no teacher, and a teacher has one");
  const auto task_of = [](const Contract& of) {
    return of.outputs.empty() ? Task::kUnknown : of.outputs[0].task;
  };
  for (const Contract* each : {&contract, &teacher.contract}) {
    const Task task = task_of(*each);
    if (task == Task::kClasses || task == Task::kUnknown) continue;
    return Unsupported(
        StrCat(each == &contract ? "the task of the run is " : "the teacher's task is ", NameOf(task),
               ", expected classes: what is learned from a teacher is how likely each class is"));
  }
  QAT_RETURN_IF_ERROR(CheckClasses(teacher, network, contract));
  if (teacher.contract.inputs.size() != contract.inputs.size()) {
    return InvalidArgument(StrCat("the teacher takes ", teacher.contract.inputs.size(), " inputs, expected ",
                                  contract.inputs.size()));
  }
  for (size_t i = 0; i < contract.inputs.size(); ++i) {
    const std::string& name = contract.inputs[i].name;
    QAT_RETURN_IF_ERROR(CheckInput(teacher.contract.inputs[i], contract.inputs[i],
                                   name.empty() ? "input" : StrCat("input '", name, "'")));
  }
  return {};
}

Expected<std::unique_ptr<Teacher>> Teacher::Load(const Checkpoint& checkpoint) {
  QAT_ASSIGN_OR_RETURN(auto network, Network::FromCheckpoint(checkpoint));
  return std::unique_ptr<Teacher>(new Teacher(std::move(network)));
}

std::vector<float> Teacher::AnswersTo(const std::vector<at::Tensor>& inputs) const {
  const at::NoGradGuard no_gradients;
  const at::Tensor answers = functional::ToNhwc(network_->Forward(inputs, {})[0]).contiguous();
  const std::span<const float> values = SpanOf(answers);
  return {values.begin(), values.end()};
}

}  // namespace qat
