#pragma once

#include "tensorflow/lite/micro/micro_interpreter.h"

namespace tflite {

template <unsigned int kOperators>
class MicroMutableOpResolver : public MicroOpResolver {
 public:
  TfLiteStatus AddAdd() { return kTfLiteOk; }
  TfLiteStatus AddArgMax() { return kTfLiteOk; }
  TfLiteStatus AddAveragePool2D() { return kTfLiteOk; }
  TfLiteStatus AddConcatenation() { return kTfLiteOk; }
  TfLiteStatus AddConv2D() { return kTfLiteOk; }
  TfLiteStatus AddDepthwiseConv2D() { return kTfLiteOk; }
  TfLiteStatus AddDequantize() { return kTfLiteOk; }
  TfLiteStatus AddFullyConnected() { return kTfLiteOk; }
  TfLiteStatus AddHardSwish() { return kTfLiteOk; }
  TfLiteStatus AddLeakyRelu() { return kTfLiteOk; }
  TfLiteStatus AddLogistic() { return kTfLiteOk; }
  TfLiteStatus AddMaximum() { return kTfLiteOk; }
  TfLiteStatus AddMaxPool2D() { return kTfLiteOk; }
  TfLiteStatus AddMean() { return kTfLiteOk; }
  TfLiteStatus AddMinimum() { return kTfLiteOk; }
  TfLiteStatus AddMul() { return kTfLiteOk; }
  TfLiteStatus AddPad() { return kTfLiteOk; }
  TfLiteStatus AddPrelu() { return kTfLiteOk; }
  TfLiteStatus AddQuantize() { return kTfLiteOk; }
  TfLiteStatus AddRelu() { return kTfLiteOk; }
  TfLiteStatus AddRelu6() { return kTfLiteOk; }
  TfLiteStatus AddReshape() { return kTfLiteOk; }
  TfLiteStatus AddResizeBilinear() { return kTfLiteOk; }
  TfLiteStatus AddResizeNearestNeighbor() { return kTfLiteOk; }
  TfLiteStatus AddSlice() { return kTfLiteOk; }
  TfLiteStatus AddSoftmax() { return kTfLiteOk; }
  TfLiteStatus AddSplit() { return kTfLiteOk; }
  TfLiteStatus AddStridedSlice() { return kTfLiteOk; }
  TfLiteStatus AddSub() { return kTfLiteOk; }
  TfLiteStatus AddTanh() { return kTfLiteOk; }
  TfLiteStatus AddTranspose() { return kTfLiteOk; }
  TfLiteStatus AddTransposeConv() { return kTfLiteOk; }
};

}  // namespace tflite
