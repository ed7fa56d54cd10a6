/* A recorder for a program that makes its own pictures, as a camera's driver does: files that a crash cannot take, parts of
 * a few seconds, a change of the bitrate while it runs, and what came of it.
 *
 *   recorder FOLDER [SECONDS]        default 30; Ctrl-C ends it properly, kill -9 loses the last second at most
 */
#include <string.h>

#include <glib-unix.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>

enum { WIDTH = 640, HEIGHT = 360, RATE = 25, PART_SECONDS = 5 };

typedef struct {
  GMainLoop *loop;
  GstElement *pipeline, *source, *encoder, *muxer;
  guint64 pictures, last;
  gboolean failed;
} Recorder;

/* A ramp with a bar that moves and grain as a sensor's, 4:2:0. */
static void draw(guint8 *samples, guint64 number) {
  guint32 grain = (guint32)number;
  for (int y = 0; y < HEIGHT; ++y)
    for (int x = 0; x < WIDTH; ++x) {
      const gboolean bar = ABS(x - (int)(number * 4 % WIDTH)) < 20;
      grain = grain * 1664525u + 1013904223u;
      samples[y * WIDTH + x] = (guint8)((bar ? 200 : 16 + (x + y) * 150 / (WIDTH + HEIGHT)) + (grain >> 27));
    }
  memset(samples + WIDTH * HEIGHT, 128, WIDTH * HEIGHT / 2);
}

/* The pictures' times count frames, so they stay even however late this program wakes up. */
static gboolean push_picture(gpointer data) {
  Recorder *self = data;
  if (self->pictures == self->last) {
    gst_app_src_end_of_stream(GST_APP_SRC(self->source));
    return G_SOURCE_REMOVE;
  }
  GstBuffer *buffer = gst_buffer_new_allocate(NULL, WIDTH * HEIGHT * 3 / 2, NULL);
  GstMapInfo map;
  if (gst_buffer_map(buffer, &map, GST_MAP_WRITE)) {
    draw(map.data, self->pictures);
    gst_buffer_unmap(buffer, &map);
  }
  GST_BUFFER_PTS(buffer) = gst_util_uint64_scale(self->pictures, GST_SECOND, RATE);
  GST_BUFFER_DURATION(buffer) = GST_SECOND / RATE;
  ++self->pictures;
  /* The network got worse, say: the encoder follows without a new file or a key picture. */
  if (self->pictures == self->last / 2) g_object_set(self->encoder, "bitrate", 300, NULL);
  if (gst_app_src_push_buffer(GST_APP_SRC(self->source), buffer) != GST_FLOW_OK) return G_SOURCE_REMOVE;
  return G_SOURCE_CONTINUE;
}

static guint64 number_in(GstElement *element, const char *name) {
  GstStructure *stats = NULL;
  guint64 value = 0;
  g_object_get(element, "stats", &stats, NULL);
  if (stats) gst_structure_get_uint64(stats, name, &value);
  g_clear_pointer(&stats, gst_structure_free);
  return value;
}

static gboolean tell(gpointer data) {
  Recorder *self = data;
  GstStructure *stats = NULL;
  gdouble kbps = 0, quantizer = 0;
  g_object_get(self->encoder, "stats", &stats, NULL);
  if (stats) {
    gst_structure_get_double(stats, "bitrate", &kbps);
    gst_structure_get_double(stats, "average-quantizer", &quantizer);
    gst_structure_free(stats);
  }
  g_print("%" G_GUINT64_FORMAT " pictures, %.0f kbit/s, quantizer %.1f, %" G_GUINT64_FORMAT
          " samples in files, %" G_GUINT64_FORMAT " dropped\n",
          self->pictures, kbps, quantizer, number_in(self->muxer, "samples"),
          number_in(self->muxer, "dropped"));
  return G_SOURCE_CONTINUE;
}

static gboolean on_message(GstBus *bus, GstMessage *message, gpointer data) {
  Recorder *self = data;
  GError *error = NULL;
  gchar *debug = NULL;
  (void)bus;
  switch (GST_MESSAGE_TYPE(message)) {
  case GST_MESSAGE_WARNING:
    gst_message_parse_warning(message, &error, &debug);
    g_printerr("warning: %s\n", error->message);
    break;
  case GST_MESSAGE_ERROR: /* the element says what happened and what helps; debug says where */
    gst_message_parse_error(message, &error, &debug);
    g_printerr("error: %s\n%s\n", error->message, debug ? debug : "");
    self->failed = TRUE;
    g_main_loop_quit(self->loop);
    break;
  case GST_MESSAGE_EOS: /* every file is whole now */
    g_main_loop_quit(self->loop);
    break;
  case GST_MESSAGE_ELEMENT:
    if (gst_message_has_name(message, "hull-mp4-file")) {
      guint index = 0;
      gst_structure_get_uint(gst_message_get_structure(message), "index", &index);
      g_print("part %u is finished\n", index);
    }
    break;
  default:
    break;
  }
  g_clear_error(&error);
  g_free(debug);
  return G_SOURCE_CONTINUE;
}

static gboolean on_interrupt(gpointer data) {
  Recorder *self = data;
  self->last = self->pictures; /* EOS after this picture */
  return G_SOURCE_CONTINUE;
}

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  if (argc < 2) {
    g_printerr("usage: %s FOLDER [SECONDS]\n", argv[0]);
    return 2;
  }
  Recorder self = {0};
  self.last = (argc > 2 ? g_ascii_strtoull(argv[2], NULL, 10) : 30) * RATE;
  GError *error = NULL;
  self.pipeline = gst_parse_launch("appsrc name=source format=time is-live=true ! queue ! "
                                   "hullh264enc name=encoder bitrate=1200 key-int-max=25 ! "
                                   "hullmp4mux name=muxer fragment-duration=1000000000 ! "
                                   "hullmp4sink name=sink",
                                   &error);
  if (!self.pipeline) {
    g_printerr("%s\n", error->message);
    return 1;
  }
  self.source = gst_bin_get_by_name(GST_BIN(self.pipeline), "source");
  self.encoder = gst_bin_get_by_name(GST_BIN(self.pipeline), "encoder");
  self.muxer = gst_bin_get_by_name(GST_BIN(self.pipeline), "muxer");
  GstElement *sink = gst_bin_get_by_name(GST_BIN(self.pipeline), "sink");
  gchar *location = g_build_filename(argv[1], "part-%05d.mp4", NULL);
  g_object_set(sink, "location", location, "max-size-time", (guint64)PART_SECONDS * GST_SECOND, NULL);
  g_free(location);
  gst_object_unref(sink);
  GstCaps *caps =
      gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "I420", "width", G_TYPE_INT, WIDTH,
                          "height", G_TYPE_INT, HEIGHT, "framerate", GST_TYPE_FRACTION, RATE, 1, NULL);
  gst_app_src_set_caps(GST_APP_SRC(self.source), caps);
  gst_caps_unref(caps);

  self.loop = g_main_loop_new(NULL, FALSE);
  GstBus *bus = gst_element_get_bus(self.pipeline);
  gst_bus_add_watch(bus, on_message, &self);
  g_timeout_add(1000 / RATE, push_picture, &self);
  g_timeout_add_seconds(1, tell, &self);
  g_unix_signal_add(SIGINT, on_interrupt, &self);
  gst_element_set_state(self.pipeline, GST_STATE_PLAYING);
  g_main_loop_run(self.loop);
  tell(&self);

  gst_element_set_state(self.pipeline, GST_STATE_NULL);
  gst_bus_remove_watch(bus);
  gst_object_unref(bus);
  g_main_loop_unref(self.loop);
  gst_object_unref(self.source);
  gst_object_unref(self.encoder);
  gst_object_unref(self.muxer);
  gst_object_unref(self.pipeline);
  return self.failed ? 1 : 0;
}
