/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Prints a table of what ivsstagesink has, as docs/reference.md shows it.
 *
 *     describe-element pads|properties|values|signals
 *
 * It is linked with the plugin, so that the one that was just built is described.
 */
#include <gst/gst.h>

GST_PLUGIN_STATIC_DECLARE (ivs);

static void
print_pads (GstElement *element)
{
  const GList *templates =
      gst_element_class_get_pad_template_list (GST_ELEMENT_GET_CLASS (element));

  g_print ("| Pad | Presence | Takes |\n| --- | --- | --- |\n");
  for (const GList *l = templates; l != NULL; l = l->next) {
    GstPadTemplate *template = l->data;
    g_autoptr (GstCaps) caps = gst_pad_template_get_caps (template);

    g_print ("| `%s` | %s |", GST_PAD_TEMPLATE_NAME_TEMPLATE (template),
        GST_PAD_TEMPLATE_PRESENCE (template) == GST_PAD_REQUEST
            ? "on request"
            : "not on request");
    for (guint i = 0; i < gst_caps_get_size (caps); i++) {
      g_autoptr (GstCaps) one = gst_caps_copy_nth (caps, i);
      g_autofree gchar *text = gst_caps_to_string (one);

      g_print ("%s `%s`", i > 0 ? "<br>" : "", text);
    }
    g_print (" |\n");
  }
}

static gchar *
describe_type (GParamSpec *pspec)
{
  if (G_IS_PARAM_SPEC_UINT (pspec)) {
    GParamSpecUInt *spec = G_PARAM_SPEC_UINT (pspec);

    return g_strdup_printf ("uint, %u to %u", spec->minimum, spec->maximum);
  }
  if (G_IS_PARAM_SPEC_INT (pspec)) {
    GParamSpecInt *spec = G_PARAM_SPEC_INT (pspec);

    return g_strdup_printf ("int, %d to %d", spec->minimum, spec->maximum);
  }
  if (G_IS_PARAM_SPEC_ENUM (pspec))
    return g_strdup_printf ("%s, see below", g_type_name (pspec->value_type));
  if (GST_IS_PARAM_SPEC_ARRAY_LIST (pspec))
    return g_strdup ("array of strings");
  return g_strdup (pspec->value_type == G_TYPE_STRING
          ? "string"
          : g_type_name (pspec->value_type));
}

static gchar *
describe_default (GParamSpec *pspec)
{
  const GValue *value = g_param_spec_get_default_value (pspec);
  g_autofree gchar *text = NULL;

  if (G_IS_PARAM_SPEC_ENUM (pspec))
    return g_strdup_printf ("`%s`",
        g_enum_get_value (G_PARAM_SPEC_ENUM (pspec)->enum_class,
            g_value_get_enum (value))
            ->value_nick);
  if (G_IS_PARAM_SPEC_BOOLEAN (pspec))
    return g_strdup (g_value_get_boolean (value) ? "true" : "false");
  if (GST_IS_PARAM_SPEC_ARRAY_LIST (pspec) ||
      (g_value_fits_pointer (value) && g_value_peek_pointer (value) == NULL))
    return g_strdup ("none");
  text = gst_value_serialize (value);
  return g_strdup_printf ("%s", text);
}

static const gchar *
describe_access (GParamSpec *pspec)
{
  gboolean is_write_only = (pspec->flags & G_PARAM_READABLE) == 0;

  if ((pspec->flags & G_PARAM_WRITABLE) == 0)
    return "read only";
  if ((pspec->flags & GST_PARAM_MUTABLE_PLAYING) != 0)
    return is_write_only ? "any time, write only" : "any time";
  if ((pspec->flags & GST_PARAM_MUTABLE_READY) != 0)
    return is_write_only ? "NULL or READY, write only" : "NULL or READY";
  return "no flag says when";
}

/* The properties of its own, in the order in which they are installed. */
static GParamSpec **
list_own (GstElement *element, guint *n_own)
{
  guint n = 0;
  GParamSpec **all =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);

  *n_own = 0;
  for (guint i = 0; i < n; i++) {
    if (all[i]->owner_type == G_OBJECT_TYPE (element))
      all[(*n_own)++] = all[i];
  }
  return all;
}

static void
print_properties (GstElement *element)
{
  guint n = 0;
  g_autofree GParamSpec **own = list_own (element, &n);

  g_print ("| Property | Type | Default | May be set | What it is |\n"
           "| --- | --- | --- | --- | --- |\n");
  for (guint i = 0; i < n; i++) {
    g_autofree gchar *type = describe_type (own[i]);
    g_autofree gchar *value = describe_default (own[i]);

    g_print ("| `%s` | %s | %s | %s | %s |\n", own[i]->name, type, value,
        describe_access (own[i]), g_param_spec_get_blurb (own[i]));
  }
}

static void
print_values (GstElement *element)
{
  guint n = 0;
  g_autofree GParamSpec **own = list_own (element, &n);

  g_print ("| Property | Value | Meaning |\n| --- | --- | --- |\n");
  for (guint i = 0; i < n; i++) {
    const GEnumClass *values = NULL;

    if (!G_IS_PARAM_SPEC_ENUM (own[i]))
      continue;
    values = G_PARAM_SPEC_ENUM (own[i])->enum_class;
    for (guint v = 0; v < values->n_values; v++)
      g_print ("| `%s` | `%s` (%d) | %s |\n", own[i]->name,
          values->values[v].value_nick, values->values[v].value,
          values->values[v].value_name);
  }
}

static void
print_signals (GstElement *element)
{
  guint n = 0;
  g_autofree guint *ids = g_signal_list_ids (G_OBJECT_TYPE (element), &n);

  g_print ("| Signal | Kind | Parameters | Returns |\n"
           "| --- | --- | --- | --- |\n");
  for (guint i = 0; i < n; i++) {
    GSignalQuery query;

    g_signal_query (ids[i], &query);
    g_print ("| `%s` | %s |", query.signal_name,
        (query.signal_flags & G_SIGNAL_ACTION) != 0 ? "action, emit it"
                                                    : "connect to it");
    for (guint p = 0; p < query.n_params; p++)
      g_print (" %s", g_type_name (query.param_types[p]));
    g_print ("%s | %s |\n", query.n_params == 0 ? " none" : "",
        query.return_type == G_TYPE_NONE ? "nothing"
                                         : g_type_name (query.return_type));
  }
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const gchar *name;
    void (*print) (GstElement *element);
  } tables[] = {
    { "pads", print_pads },
    { "properties", print_properties },
    { "values", print_values },
    { "signals", print_signals },
  };
  g_autoptr (GstElement) element = NULL;

  gst_init (NULL, NULL);
  GST_PLUGIN_STATIC_REGISTER (ivs);
  element = gst_element_factory_make ("ivsstagesink", NULL);
  g_assert_nonnull (element);
  gst_object_ref_sink (element);

  for (gsize i = 0; i < G_N_ELEMENTS (tables); i++) {
    if (argc == 2 && g_str_equal (argv[1], tables[i].name)) {
      tables[i].print (element);
      return 0;
    }
  }
  g_printerr ("describe-element: say pads, properties, values or signals\n");
  return 2;
}
