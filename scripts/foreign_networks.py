"""The networks of make_foreign_models.py: small versions of what people convert. Needs TensorFlow.

NETWORKS: name -> function without arguments that returns a Keras model, or a pair of a tf.function and its TensorSpecs
where Keras has no layer for the operator.
"""
import numpy as np
import tensorflow as tf

K = tf.keras
L = K.layers


def application(name, size, **options):
    def build():
        return getattr(K.applications, name)(weights=None, input_shape=(size, size, 3), classes=10, **options)
    return build


def functional(shape, body):
    """A Keras model with one input of `shape`, without the batch."""
    def build():
        x = K.Input(shape)
        return K.Model(x, body(x))
    return build


def raw(*shapes, types=None):
    """A decorated function of tensors of these shapes."""
    def decorate(function):
        specs = [tf.TensorSpec(s, (types or {}).get(i, tf.float32), name=f"in{i}") for i, s in enumerate(shapes)]
        return lambda: (tf.function(function, input_signature=specs), specs)
    return decorate


def weights(*shape, seed=1):
    values = np.random.default_rng(seed).normal(0, (2 / max(1, np.prod(shape[:-1]))) ** 0.5, shape)
    return tf.constant(values.astype(np.float32))


def block(x, filters, stride=1, activation="relu"):
    x = L.Conv2D(filters, 3, stride, "same", use_bias=False)(x)
    return L.Activation(activation)(L.BatchNormalization()(x))


def lambda_layer(function):
    return L.Lambda(function)


# --- small networks as people write them ----------------------------------------------------------------------------------


def segmentation(interpolation):
    def body(x):
        a = block(x, 8, 2)
        b = block(a, 16, 2)
        up = L.UpSampling2D(2, interpolation=interpolation)(b)
        y = L.Concatenate()([up, a])
        y = L.Conv2DTranspose(8, 3, 2, "same")(block(y, 8))
        return L.Softmax()(L.Conv2D(5, 1)(y))
    return body


def align_corners(x):
    y = block(x, 8, 2)
    y = lambda_layer(lambda t: tf.compat.v1.image.resize_bilinear(t, (33, 33), align_corners=True))(y)
    y = lambda_layer(lambda t: tf.compat.v1.image.resize_nearest_neighbor(t, (17, 17), align_corners=True))(y)
    return L.Conv2D(3, 1)(y)


def unet(x):
    a = block(block(x, 8), 8)
    b = block(L.MaxPooling2D()(a), 16)
    c = block(L.MaxPooling2D()(b), 24)
    y = L.Concatenate()([L.Conv2DTranspose(16, 2, 2)(c), b])
    y = L.Concatenate()([L.Conv2DTranspose(8, 2, 2, activation="relu")(block(y, 16)), a])
    return L.Conv2D(1, 1, activation="sigmoid")(block(y, 8))


def detector_heads(x):
    a = block(block(x, 8, 2), 16, 2)
    b = block(a, 24, 2)
    boxes, scores = [], []
    for feature in (a, b):
        boxes.append(L.Reshape((-1, 4))(L.Conv2D(12, 3, padding="same")(feature)))
        scores.append(L.Reshape((-1, 5))(L.SeparableConv2D(15, 3, padding="same")(feature)))
    scores = L.Activation("sigmoid")(L.Concatenate(axis=1)(scores))
    return [L.Concatenate(axis=1)(boxes), scores]


def yolo_head(x):
    y = L.LeakyReLU(0.1)(L.Conv2D(16, 3, 2, "same")(x))
    y = L.Conv2D(3 * 7, 1)(L.LeakyReLU(0.1)(L.Conv2D(16, 3, 2, "same")(y)))
    y = L.Reshape((8, 8, 3, 7))(y)

    def decode(t):
        xy, wh, rest = tf.split(t, [2, 2, 3], axis=-1)
        grid = tf.cast(tf.stack(tf.meshgrid(tf.range(8), tf.range(8)), -1), tf.float32)[:, :, tf.newaxis]
        return tf.concat([(tf.sigmoid(xy) + grid) / 8.0, tf.exp(tf.minimum(wh, 4.0)), tf.sigmoid(rest)], -1)
    return L.Reshape((-1, 7))(lambda_layer(decode)(y))


def keyword_spotting(x):
    y = block(x, 16, 2)
    for _ in range(3):
        y = L.ReLU()(L.BatchNormalization()(L.DepthwiseConv2D(3, padding="same")(y)))
        y = block(y, 16)
    return L.Softmax()(L.Dense(12)(L.Flatten()(L.AveragePooling2D((5, 3))(y))))


def autoencoder(x):
    y = x
    for units in (64, 32, 8, 32, 64):
        y = L.ReLU()(L.BatchNormalization()(L.Dense(units)(y)))
    return L.Dense(100)(y)


def conv_1d(x):
    y = L.MaxPooling1D()(L.Conv1D(8, 5, 2, "same", activation="relu")(x))
    y = L.Conv1D(8, 3, dilation_rate=2, padding="causal", activation="relu")(y)
    y = L.BatchNormalization()(L.SeparableConv1D(12, 3, padding="same")(y))
    y = L.AveragePooling1D(2)(L.Conv1DTranspose(6, 3, 2, "same")(y))
    return L.Dense(4, activation="softmax")(L.GlobalAveragePooling1D()(y))


def squeeze_excite(x):
    y = block(x, 16, 2)
    for keep in (True, False):
        s = L.GlobalAveragePooling2D(keepdims=keep)(y)
        if not keep:
            s = L.Reshape((1, 1, 16))(s)
        s = L.Activation("hard_sigmoid" if keep else "sigmoid")(L.Conv2D(16, 1)(L.Conv2D(4, 1, activation="relu")(s)))
        y = L.Multiply()([y, s])
    return L.GlobalMaxPooling2D()(y)


def channel_shuffle(x):
    y = block(x, 16, 2)

    def shuffle(t):
        t = tf.reshape(t, [-1, 16, 16, 2, 8])
        return tf.reshape(tf.transpose(t, [0, 1, 2, 4, 3]), [-1, 16, 16, 16])
    y = lambda_layer(shuffle)(y)
    a, b = lambda_layer(lambda t: tf.split(t, 2, axis=-1))(y)
    y = L.Concatenate()([a, L.DepthwiseConv2D(3, padding="same")(b)])
    return L.Dense(3)(L.GlobalAveragePooling2D()(lambda_layer(shuffle)(y)))


def grouped(x):
    y = L.Conv2D(16, 3, groups=4, padding="same", activation="relu6")(block(x, 8))
    return L.Dense(3)(L.Flatten()(L.MaxPooling2D(4)(y)))


def super_resolution(x):
    y = L.Conv2D(12, 3, padding="same")(block(x, 8))
    y = lambda_layer(lambda t: tf.nn.depth_to_space(t, 2))(y)
    down = lambda_layer(lambda t: tf.nn.space_to_depth(t, 2))(y)
    return [y, L.Conv2D(2, 1)(down)]


def batch_norm_first(x):
    y = L.ReLU()(L.BatchNormalization()(x))
    y = L.BatchNormalization()(L.Add()([L.Conv2D(3, 3, padding="same")(y), x]))
    return L.Conv2D(4, 3, 2)(y)


def activations(x):
    parts = []
    for f in ("relu", "relu6", "elu", "selu", "swish", "gelu", "softplus", "softsign", "tanh", "sigmoid", "hard_sigmoid",
              "exponential", "hard_swish"):
        try:
            parts.append(L.Activation(f)(L.Conv2D(2, 1)(x)))
        except ValueError:
            continue  # not in this Keras
    parts.append(L.LeakyReLU(0.2)(L.Conv2D(2, 1)(x)))
    parts.append(L.PReLU(shared_axes=[1, 2], alpha_initializer="random_normal")(L.Conv2D(2, 1)(x)))
    parts.append(L.PReLU(alpha_initializer="random_normal")(L.Conv2D(2, 1)(x)))
    parts.append(L.ThresholdedReLU(0.3)(L.Conv2D(2, 1)(x)) if hasattr(L, "ThresholdedReLU") else L.Conv2D(2, 1)(x))
    parts.append(L.ReLU(max_value=1.0, negative_slope=0.1, threshold=0.2)(L.Conv2D(2, 1)(x)))
    return L.Concatenate()(parts)


def each_activation(name):
    return functional((8, 8, 3), lambda x: L.Conv2D(3, 1)(L.Activation(name)(L.Conv2D(4, 1)(x))))


def dense_ranks(x):
    y = L.Dense(6, activation="relu")(x)  # rank 3
    z = L.Reshape((2, 5, 6))(y)
    return [L.Dense(4)(z), L.Dense(3, use_bias=False)(y)]


def attention(x):
    y = L.LayerNormalization()(x)
    y = L.Add()([x, L.MultiHeadAttention(2, 8)(y, y)])
    z = L.Dense(16)(L.Dense(32, activation="gelu")(L.LayerNormalization()(y)))
    return L.Dense(5)(L.GlobalAveragePooling1D()(L.Add()([y, z])))


def lstm(x):
    return L.Dense(3)(L.LSTM(8, unroll=True)(x))


def gru(x):
    return L.Dense(3)(L.GRU(8, unroll=True)(x))


def pads(x):
    y = L.ZeroPadding2D(((0, 1), (2, 0)))(block(x, 4))
    y = L.Cropping2D(((1, 2), (0, 1)))(y)
    y = lambda_layer(lambda t: tf.pad(t, [[0, 0], [1, 1], [1, 1], [0, 0]], constant_values=1.5))(y)
    y = lambda_layer(lambda t: tf.pad(t, [[0, 0], [2, 2], [1, 1], [0, 0]], mode="REFLECT"))(y)
    y = lambda_layer(lambda t: tf.pad(t, [[0, 0], [1, 0], [0, 1], [0, 0]], mode="SYMMETRIC"))(y)
    return L.Conv2D(3, 3)(y)


def two_inputs():
    a, b = K.Input((16, 16, 3), name="image"), K.Input((7,), name="extra")
    y = L.GlobalAveragePooling2D()(block(a, 8, 2))
    y = L.Concatenate()([y, L.Dense(4, activation="relu")(b)])
    return K.Model([a, b], [L.Dense(3, activation="softmax", name="classes")(y), L.Dense(1, name="value")(y)])


def siamese():
    a, b = K.Input((16, 16, 3)), K.Input((16, 16, 3))
    conv, dense = L.Conv2D(4, 3, activation="relu"), L.Dense(6)
    left, right = (dense(L.Flatten()(L.MaxPooling2D(3)(conv(t)))) for t in (a, b))
    return K.Model([a, b], lambda_layer(lambda t: tf.reduce_sum(tf.math.squared_difference(t[0], t[1]), -1))([left, right]))


def normalized(x):
    y = L.Rescaling(1 / 127.5, -1)(x)
    y = L.GlobalAveragePooling2D()(block(y, 8, 2))
    return lambda_layer(lambda t: tf.math.l2_normalize(t, -1))(L.Dense(6)(y))


def fully_convolutional(shape):
    def body(x):
        y = block(block(x, 8, 2), 8)
        y = L.UpSampling2D(2)(y)
        return L.Conv2D(2, 1)(L.Add()([y, L.Conv2D(8, 1)(x)]))
    return functional(shape, body)


def dilated(x):
    y = L.Conv2D(6, 3, dilation_rate=2, padding="same", activation="relu")(x)
    y = L.DepthwiseConv2D(3, dilation_rate=3, padding="same", depth_multiplier=2)(y)
    return L.Conv2D(3, 3, dilation_rate=(2, 1), padding="valid")(y)


def fused_poolings(x):
    y = block(x, 8)
    parts = [L.GlobalAveragePooling2D()(y), L.GlobalMaxPooling2D()(y),
             L.Flatten()(L.AveragePooling2D(5, 3, "same")(y)), L.Flatten()(L.MaxPooling2D(3, 2, "same")(y))]
    return L.Dense(4)(L.Concatenate()(parts))


# --- single operators and what Keras has no layer for -----------------------------------------------------------------------


@raw((1, 8, 8, 6))
def reductions(x):
    y = tf.nn.conv2d(x, weights(3, 3, 6, 6), 1, "SAME")
    return (tf.reduce_mean(y, 3), tf.reduce_mean(y, [1, 2], keepdims=True), tf.reduce_sum(y, [1, 2]), tf.reduce_max(y, 3),
            tf.reduce_min(y, [1], keepdims=True), tf.reduce_sum(y, -1), tf.reduce_mean(y, [0, 1, 2, 3]), tf.reduce_prod(y, 2))


@raw((1, 8, 8, 6))
def arg_maxima(x):
    y = tf.nn.conv2d(x, weights(1, 1, 6, 5), 1, "SAME")
    return tf.argmax(y, -1), tf.argmax(y, -1, output_type=tf.int32), tf.argmin(y, 1), tf.argmax(y, 2, output_type=tf.int32)


@raw((1, 8, 8, 6))
def softmax_axes(x):
    y = tf.nn.conv2d(x, weights(1, 1, 6, 5), 1, "SAME")
    return tf.nn.softmax(y), tf.nn.softmax(y, axis=1), tf.nn.log_softmax(y), tf.nn.softmax(tf.reshape(y, [8, 40]), axis=0)


@raw((1, 9, 10, 6))
def slices(x):
    y = tf.nn.relu(x + 0.25)
    return (y[:, 1:7:2, ::3, :], y[:, ::-1, :, 1], y[..., -2:], y[:, 2, 3], tf.slice(y, [0, 1, 2, 0], [1, -1, 5, 3]),
            y[:, tf.newaxis, 3:5], tf.reverse(y, [1, 2]), y[:, :, 9:1:-2])


@raw((4, 6), (4, 6))
def stacks(a, b):
    c = tf.stack([a, b, a * b], 1)
    p, q, r = tf.unstack(c, axis=1)
    return tf.stack([p, q], -1), tf.concat([q, r], 0), tf.transpose(c, [2, 0, 1]), tf.tile(a, [2, 3]), tf.squeeze(a[:1], 0)


@raw((1, 6, 6, 4))
def int64_indices(x):
    y = tf.pad(x * 2.0, tf.constant([[0, 0], [1, 2], [0, 1], [0, 0]], tf.int64))
    y = tf.reshape(y, tf.constant([1, 9, 28], tf.int64))
    y = tf.expand_dims(y, tf.constant(1, tf.int64))
    z = tf.gather(y, tf.constant([2, 0, 1], tf.int64), axis=3)
    return y, z, tf.transpose(y, tf.constant([0, 3, 1, 2], tf.int32)), tf.strided_slice(y, tf.constant([0, 0, 1, 2], tf.int64), tf.constant([1, 1, 8, 20], tf.int64), tf.constant([1, 1, 2, 3], tf.int64))


@raw((2, 5, 6), (5, 1))
def broadcasts(a, b):
    return a + b, a - b, a * b, tf.maximum(a, b), tf.minimum(a, b), a / (tf.abs(b) + 1.0), b - a, tf.math.squared_difference(a, b), tf.pow(tf.abs(a), 2.0)


@raw((2, 3, 4, 5))
def elementwise(x):
    p = tf.abs(x) + 0.1
    return (tf.exp(x), tf.sqrt(p), tf.math.rsqrt(p), tf.square(x), tf.abs(x), -x, tf.floor(x), tf.math.ceil(x), tf.round(x),
            tf.math.log(p), tf.sin(x), tf.cos(x), tf.sign(x), tf.nn.elu(x), tf.math.floordiv(x, p), tf.math.floormod(x, p))


@raw((2, 3, 4, 5))
def quantized_elementwise(x):
    y = tf.nn.conv2d(x, weights(1, 1, 5, 5), 1, "SAME")
    p = tf.abs(y) + 0.1
    return tf.exp(y), tf.sqrt(p), tf.math.rsqrt(p), tf.square(y), tf.abs(y), -y, tf.nn.elu(y), tf.math.log(p), y / p


@raw((2, 5, 6))
def comparisons(x):
    return (tf.where(x > 0.0, x, x * 0.3), tf.cast(x >= 0.2, tf.float32), tf.where(tf.logical_and(x > -0.5, x < 0.5), x, 0.0),
            tf.cast(tf.equal(x, x), tf.int32), tf.cast(tf.not_equal(x, 0.0), tf.float32), tf.cast(tf.logical_not(x <= 0.0), tf.float32), tf.where(tf.logical_or(x > 0.5, x < -0.5), 1.0, x))


@raw((2, 5, 6), (2, 6, 4))
def batch_matmul(a, b):
    return tf.matmul(a, b), tf.matmul(a, a, transpose_b=True), tf.matmul(a, weights(6, 3)), tf.einsum("bij,bkj->bik", a, a)


@raw((None, 6, 6, 3))
def open_batch_shapes(x):
    shape = tf.shape(x)
    y = tf.nn.conv2d(x, weights(3, 3, 3, 4), 1, "SAME")
    y = tf.reshape(y, [shape[0], -1, 4])
    z = tf.concat([y, tf.zeros([shape[0], 1, 4])], 1)
    return z, tf.reshape(z, [shape[0], 37 * 4]), tf.tile(tf.constant([[1.0, 2.0]]), [shape[0], 1])


@raw((1, None, None, 3))
def open_sizes(x):
    y = tf.nn.relu6(tf.nn.conv2d(x, weights(3, 3, 3, 4), 2, "SAME"))
    shape = tf.shape(x)
    y = tf.image.resize(y, [shape[1], shape[2]])
    return tf.reduce_mean(y, [1, 2]), y


@raw((1, 10), types={0: tf.int32})
def embedding(ids):
    y = tf.gather(weights(20, 8), ids)
    return tf.reduce_mean(y, 1), tf.one_hot(ids, 20), tf.nn.embedding_lookup(weights(20, 4, seed=3), ids)


@raw((3, 4), (3, 4), types={0: tf.int32, 1: tf.int32})
def integers(a, b):
    return a + b, a - b, a * b, tf.maximum(a, b), tf.minimum(a, b), tf.cast(a, tf.float32), tf.concat([a, b], 1), tf.reduce_sum(a, 1), tf.reduce_max(b, 0), a // (tf.abs(b) + 1)


@raw((2, 3), types={0: tf.int64})
def long_integers(a):
    return a + 1, a * 2, tf.cast(a, tf.int32), tf.cast(a, tf.float32), tf.transpose(a), tf.reshape(a, [3, 2]), tf.maximum(a, 5)


@raw((1, 16, 16, 3), types={0: tf.uint8})
def byte_image(x):
    y = (tf.cast(x, tf.float32) - 127.5) / 127.5
    y = tf.nn.relu(tf.nn.conv2d(y, weights(3, 3, 3, 8), 2, "SAME"))
    return tf.nn.softmax(tf.reduce_mean(y, [1, 2]))


@raw((1, 12, 12, 2))
def conv_3d(x):
    y = tf.reshape(x, [1, 4, 6, 6, 2])
    return tf.nn.conv3d(y, weights(2, 3, 3, 2, 4), [1, 1, 1, 1, 1], "SAME")


@raw((1, 20))
def top_k(x):
    values, indices = tf.math.top_k(x, 5)
    return values, indices, tf.cumsum(x, 1)


@raw((6, 4))
def gathers(x):
    return tf.gather_nd(x, [[0, 1], [5, 3]]), tf.gather(x, [[1, 2], [0, 3]], axis=1), tf.gather(tf.reshape(x, [2, 3, 4]), [[0, 2], [1, 1]], batch_dims=1), tf.broadcast_to(x[:1], [3, 4]), tf.fill([2, 2], 3.0) + x[0, 0], tf.cast(tf.range(4), tf.float32) * x[0]


@raw((1, 8, 8, 4))
def transposed_conv(x):
    y = tf.nn.conv2d_transpose(x, weights(3, 3, 5, 4), [1, 16, 16, 5], 2, "SAME")
    z = tf.nn.conv2d_transpose(x, weights(2, 4, 3, 4), [1, 16, 18, 3], 2, "VALID")
    return tf.nn.relu(y + 0.1), z


@raw((1, 12, 12, 3))
def local_response(x):
    return tf.nn.local_response_normalization(x, 2), tf.nn.l2_normalize(x, -1), tf.nn.avg_pool2d(x, 3, 2, "VALID")


NETWORKS = {
    "mobilenet_v1_0.25_96": application("MobileNet", 96, alpha=0.25),
    "mobilenet_v2_0.35_96": application("MobileNetV2", 96, alpha=0.35),
    "mobilenet_v3_small_96": application("MobileNetV3Small", 96),
    "mobilenet_v3_large_96": application("MobileNetV3Large", 96, alpha=0.75),
    "mobilenet_v3_minimal_96": application("MobileNetV3Small", 96, minimalistic=True, include_preprocessing=False),
    "efficientnet_b0_64": application("EfficientNetB0", 64),
    "efficientnet_v2_b0_64": application("EfficientNetV2B0", 64),
    "resnet50_64": application("ResNet50", 64),
    "resnet50_v2_64": application("ResNet50V2", 64),
    "densenet121_64": application("DenseNet121", 64),
    "inception_v3_96": application("InceptionV3", 96),
    "xception_96": application("Xception", 96),
    "nasnet_mobile_96": application("NASNetMobile", 96),
    "vgg16_32": application("VGG16", 32),
    "segmentation_bilinear": functional((32, 32, 3), segmentation("bilinear")),
    "segmentation_nearest": functional((32, 32, 3), segmentation("nearest")),
    "align_corners": functional((32, 32, 3), align_corners),
    "unet": functional((32, 32, 3), unet),
    "detector_heads": functional((64, 64, 3), detector_heads),
    "yolo_head": functional((32, 32, 3), yolo_head),
    "keyword_spotting": functional((49, 10, 1), keyword_spotting),
    "autoencoder": functional((100,), autoencoder),
    "conv_1d": functional((64, 3), conv_1d),
    "squeeze_excite": functional((32, 32, 3), squeeze_excite),
    "channel_shuffle": functional((32, 32, 3), channel_shuffle),
    "grouped": functional((16, 16, 3), grouped),
    "super_resolution": functional((12, 12, 3), super_resolution),
    "batch_norm_first": functional((12, 12, 3), batch_norm_first),
    "activations": functional((8, 8, 3), activations),
    "dense_ranks": functional((10, 8), dense_ranks),
    "attention": functional((12, 16), attention),
    "lstm": functional((6, 5), lstm),
    "gru": functional((6, 5), gru),
    "pads": functional((12, 12, 3), pads),
    "two_inputs": two_inputs,
    "siamese": siamese,
    "normalized": functional((32, 32, 3), normalized),
    "fully_convolutional": fully_convolutional((None, None, 3)),
    "dilated": functional((16, 16, 3), dilated),
    "poolings": functional((13, 13, 3), fused_poolings),
    "reductions": reductions,
    "arg_maxima": arg_maxima,
    "softmax_axes": softmax_axes,
    "slices": slices,
    "stacks": stacks,
    "int64_indices": int64_indices,
    "broadcasts": broadcasts,
    "elementwise": elementwise,
    "quantized_elementwise": quantized_elementwise,
    "comparisons": comparisons,
    "batch_matmul": batch_matmul,
    "open_batch_shapes": open_batch_shapes,
    "open_sizes": open_sizes,
    "embedding": embedding,
    "integers": integers,
    "long_integers": long_integers,
    "byte_image": byte_image,
    "conv_3d": conv_3d,
    "top_k": top_k,
    "gathers": gathers,
    "transposed_conv": transposed_conv,
    "local_response": local_response,
}
NETWORKS.update({f"activation_{name}": each_activation(name) for name in (
    "relu", "relu6", "elu", "selu", "swish", "gelu", "softplus", "softsign", "tanh", "sigmoid", "hard_sigmoid", "exponential")})
