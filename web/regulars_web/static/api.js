/* The description of this system's API. Requests from this page are the signed-in user's: they carry the page's form token. */
"use strict";

const place = document.getElementById("api");
document.documentElement.classList.toggle("dark-mode", document.documentElement.dataset.bsTheme === "dark");

SwaggerUIBundle({
  url: place.dataset.description,
  domNode: place,
  validatorUrl: null,
  // Swagger UI would put each link inside a button, where no keyboard reaches it.
  deepLinking: false,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  requestInterceptor: (request) => {
    request.headers["X-CSRFToken"] = place.dataset.formToken;
    return request;
  },
  onComplete: () => {
    place.querySelector(".information-container")?.setAttribute("role", "banner");
    for (const heading of place.querySelectorAll("h3.opblock-tag, .models h4")) heading.setAttribute("aria-level", "2");
  },
});
