#pragma once

// GStreamer's functions that run other people's code before they return: a handler, a probe, a neighbour. It
// may read our properties or call our element again, so none of them is called with a lock of ours held.
// Declared again with that condition, clang's -Wthread-safety refuses what breaks it.

#include "gst/core/mutex.h"

#include <gst/base/gstaggregator.h>
#include <gst/base/gstbasesrc.h>
#include <gst/gst.h>
#include <gst/video/gstvideodecoder.h>
#include <gst/video/gstvideoencoder.h>

#if defined(__clang__)
#define HULL_CALLS_OUT HULL_EXCLUDES(hull::any_lock)
extern "C" {
// Pads.
GstFlowReturn gst_pad_push(GstPad *, GstBuffer *) HULL_CALLS_OUT;
GstFlowReturn gst_pad_push_list(GstPad *, GstBufferList *) HULL_CALLS_OUT;
gboolean gst_pad_push_event(GstPad *, GstEvent *) HULL_CALLS_OUT;
gboolean gst_pad_send_event(GstPad *, GstEvent *) HULL_CALLS_OUT;
gboolean gst_pad_query(GstPad *, GstQuery *) HULL_CALLS_OUT;
gboolean gst_pad_peer_query(GstPad *, GstQuery *) HULL_CALLS_OUT;
GstCaps *gst_pad_query_caps(GstPad *, GstCaps *) HULL_CALLS_OUT;
GstCaps *gst_pad_peer_query_caps(GstPad *, GstCaps *) HULL_CALLS_OUT;
GstCaps *gst_pad_get_allowed_caps(GstPad *) HULL_CALLS_OUT;
gboolean gst_pad_peer_query_duration(GstPad *, GstFormat, gint64 *) HULL_CALLS_OUT;
gboolean gst_pad_event_default(GstPad *, GstObject *, GstEvent *) HULL_CALLS_OUT;
gboolean gst_pad_query_default(GstPad *, GstObject *, GstQuery *) HULL_CALLS_OUT;
gboolean gst_pad_set_active(GstPad *, gboolean) HULL_CALLS_OUT;
gboolean gst_pad_stop_task(GstPad *) HULL_CALLS_OUT; // waits for it
GstPadLinkReturn gst_pad_link(GstPad *, GstPad *) HULL_CALLS_OUT;
gboolean gst_pad_unlink(GstPad *, GstPad *) HULL_CALLS_OUT;
// Elements and bins.
gboolean gst_element_add_pad(GstElement *, GstPad *) HULL_CALLS_OUT;
gboolean gst_element_remove_pad(GstElement *, GstPad *) HULL_CALLS_OUT;
GstPad *gst_element_request_pad_simple(GstElement *, const gchar *) HULL_CALLS_OUT;
void gst_element_release_request_pad(GstElement *, GstPad *) HULL_CALLS_OUT;
gboolean gst_element_link(GstElement *, GstElement *) HULL_CALLS_OUT;
gboolean gst_ghost_pad_set_target(GstGhostPad *, GstPad *) HULL_CALLS_OUT;
gboolean gst_element_query_duration(GstElement *, GstFormat, gint64 *) HULL_CALLS_OUT;
gboolean gst_element_post_message(GstElement *, GstMessage *) HULL_CALLS_OUT;
void gst_element_message_full(GstElement *, GstMessageType, GQuark, gint, gchar *, gchar *, const gchar *,
                              const gchar *, gint) HULL_CALLS_OUT;
gboolean gst_element_send_event(GstElement *, GstEvent *) HULL_CALLS_OUT;
gboolean gst_element_query(GstElement *, GstQuery *) HULL_CALLS_OUT;
GstStateChangeReturn gst_element_set_state(GstElement *, GstState) HULL_CALLS_OUT;
gboolean gst_element_sync_state_with_parent(GstElement *) HULL_CALLS_OUT;
gboolean gst_bin_add(GstBin *, GstElement *) HULL_CALLS_OUT;
gboolean gst_bin_remove(GstBin *, GstElement *) HULL_CALLS_OUT;
void gst_child_proxy_child_added(GstChildProxy *, GObject *, const gchar *) HULL_CALLS_OUT;
void gst_child_proxy_child_removed(GstChildProxy *, GObject *, const gchar *) HULL_CALLS_OUT;
// Base classes.
GstFlowReturn gst_aggregator_finish_buffer(GstAggregator *, GstBuffer *) HULL_CALLS_OUT;
GstFlowReturn gst_aggregator_finish_buffer_list(GstAggregator *, GstBufferList *) HULL_CALLS_OUT;
GstFlowReturn gst_video_encoder_finish_frame(GstVideoEncoder *, GstVideoCodecFrame *) HULL_CALLS_OUT;
GstFlowReturn gst_video_decoder_finish_frame(GstVideoDecoder *, GstVideoCodecFrame *) HULL_CALLS_OUT;
GstFlowReturn gst_video_decoder_have_frame(GstVideoDecoder *) HULL_CALLS_OUT;
GstFlowReturn gst_video_decoder_drop_frame(GstVideoDecoder *, GstVideoCodecFrame *) HULL_CALLS_OUT;
GstFlowReturn gst_video_decoder_allocate_output_frame(GstVideoDecoder *, GstVideoCodecFrame *) HULL_CALLS_OUT;
GstBuffer *gst_video_encoder_allocate_output_buffer(GstVideoEncoder *, gsize) HULL_CALLS_OUT;
void gst_video_encoder_set_latency(GstVideoEncoder *, GstClockTime, GstClockTime) HULL_CALLS_OUT;
void gst_video_decoder_set_latency(GstVideoDecoder *, GstClockTime, GstClockTime) HULL_CALLS_OUT;
gboolean gst_video_encoder_negotiate(GstVideoEncoder *) HULL_CALLS_OUT;
gboolean gst_video_decoder_negotiate(GstVideoDecoder *) HULL_CALLS_OUT;
// Objects.
void g_signal_emit(gpointer, guint, GQuark, ...) HULL_CALLS_OUT;
void g_signal_emit_by_name(gpointer, const gchar *, ...) HULL_CALLS_OUT;
void g_object_set(gpointer, const gchar *, ...) HULL_CALLS_OUT;
void g_object_notify(GObject *, const gchar *) HULL_CALLS_OUT;
void g_object_notify_by_pspec(GObject *, GParamSpec *) HULL_CALLS_OUT;
}
#else
#define HULL_CALLS_OUT
#endif
