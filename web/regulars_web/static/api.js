/* The description of this system's API. Requests from this page are the signed-in user's: they carry the page's form token. */
"use strict";

const place = document.getElementById("api");
document.documentElement.classList.toggle("dark-mode", document.documentElement.dataset.bsTheme === "dark");

SwaggerUIBundle({
  url: place.dataset.description,
  domNode: place,
  validatorUrl: null,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  requestInterceptor: (request) => {
    request.headers["X-CSRFToken"] = place.dataset.formToken;
    return request;
  },
});
