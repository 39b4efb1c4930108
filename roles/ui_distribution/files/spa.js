// The paths of the app are not files: each path whose last part has no dot gives the app.
// Error pages could do that too, but they belong to the whole distribution and would turn errors of the API into pages.
function handler(event) {
  var request = event.request;
  var last = request.uri.substring(request.uri.lastIndexOf('/') + 1);
  if (last.indexOf('.') === -1) {
    request.uri = '/index.html';
  }
  return request;
}
